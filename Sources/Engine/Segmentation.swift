package import ExportedModel

/// A compiled graph's instructions in segments, each of which is run with its own parameters in memory and nothing else
/// but what crosses its boundaries.
package struct Segmentation: Hashable, Sendable {
    /// Ranges of instructions, one after another.
    package let segments: [Range<Int>]
    /// About how many bytes a run takes beside the inputs: the largest segment, and what crosses all boundaries.
    package let peak: Int64
    /// What crosses the boundaries of one pass, all of them.
    package let kept: Int64

    /// One segment.
    package init(whole model: ExportedModel) {
        segments = [model.instructions.indices]
        (peak, kept) = (0, 0)
    }

    private init(segments: [Range<Int>], peak: Int64, kept: Int64) {
        (self.segments, self.peak, self.kept) = (segments, peak, kept)
    }

    /// What a segment takes.
    package struct Costs {
        /// Bytes of the values, for one pass.
        package var values: ValueSizes
        /// Bytes of a parameter, buffer or constant and of what is held with it, its gradient say, by its input's
        /// index.
        package var weights: [Int: Int64]
        /// Passes that go through the segments together.
        package var passes: Int

        package init(values: ValueSizes, weights: [Int: Int64], passes: Int) {
            self.values = values
            self.weights = weights
            self.passes = passes
        }
    }

    /// The cut into segments whose peak stays within `limit` and for which the least crosses boundaries; where none
    /// does, the one with the lowest peak. Not cut are modes' regions, memory that is written to later, and views of
    /// parameters.
    ///
    /// Dynamic programming over the positions for a falling bound on one segment.
    package init(_ model: ExportedModel, _ costs: Costs, limit: Int64) {
        let table = CutTable(model, costs)
        var best: Segmentation?
        var bound = max(limit, 1)
        while true {
            let positions = table.positions(within: bound)
            let kept = positions.dropFirst().dropLast().reduce(0) { $0 + table.crossing[$1] }
            let segments = zip(positions, positions.dropFirst()).map { $0..<$1 }
            let largest = segments.map(table.cost).max() ?? 0
            let candidate = Segmentation(
                segments: segments, peak: largest + kept * Int64(costs.passes), kept: kept)
            if best.map({ candidate.peak < $0.peak }) ?? true { best = candidate }
            if candidate.peak <= limit || largest > bound || bound < 2 { break }
            bound = bound / 4 * 3
        }
        self = best ?? Segmentation(whole: model)
    }
}

/// What every possible segment takes.
private struct CutTable {
    let model: ExportedModel
    let costs: Segmentation.Costs
    /// Positions where the graph can be cut, 0 and the end among them.
    let cuts: [Int]
    /// Bytes that cross each position.
    let crossing: [Int64]

    init(_ model: ExportedModel, _ costs: Segmentation.Costs) {
        self.model = model
        self.costs = costs
        let count = model.instructions.count
        var starts: [Int: Int] = [:]
        var ends: [Int: Int] = [:]
        for (index, instruction) in model.instructions.enumerated() {
            for slot in instruction.writes {
                starts[model.storageSlot(of: slot)] = starts[model.storageSlot(of: slot)] ?? index
            }
            for slot in instruction.reads { ends[model.storageSlot(of: slot)] = index }
        }
        ends[model.storageSlot(of: model.outputSlot)] = count
        var changes = [Int64](repeating: 0, count: count + 2)
        var isView = [Bool](repeating: false, count: count + 1)
        for (slot, start) in starts {
            guard let end = ends[slot], end > start else { continue }
            if model.inputs.indices.contains(slot) {
                if model.inputs[slot].kind != .user { for position in start + 1...end { isView[position] = true } }
                continue
            }
            let bytes = costs.values.bytes[slot] ?? 0
            changes[start + 1] += bytes
            changes[end + 1] -= bytes
        }
        var sum: Int64 = 0
        crossing = changes.dropLast().map { change in
            sum += change
            return sum
        }
        cuts = (0...count).filter { $0 == 0 || $0 == count || model.isCut(at: $0) && !isView[$0] }
    }

    func cost(_ segment: Range<Int>) -> Int64 {
        var seen: Set<Int> = []
        return segment.reduce(0) { $0 + added($1, &seen) }
    }

    /// What an instruction adds to a segment that has seen these parameters.
    private func added(_ index: Int, _ seen: inout Set<Int>) -> Int64 {
        let instruction = model.instructions[index]
        let values = instruction.writes.reduce(Int64(0)) { $0 + (costs.values.bytes[$1] ?? 0) }
        return instruction.reads.reduce(values) { sum, slot in
            guard let bytes = costs.weights[slot], seen.insert(slot).inserted else { return sum }
            return sum + bytes
        }
    }

    /// The ends of the segments, 0 first, for which the least crosses; every segment costs at most `bound` where it can
    /// be cut at all.
    func positions(within bound: Int64) -> [Int] {
        var least = [Int64](repeating: .max, count: cuts.count)
        var from = [Int](repeating: 0, count: cuts.count)
        least[0] = 0
        for start in cuts.indices.dropLast() where least[start] < .max {
            var seen: Set<Int> = []
            var cost: Int64 = 0
            for end in start + 1..<cuts.count {
                for index in cuts[end - 1]..<cuts[end] { cost += added(index, &seen) }
                if cost > bound, end > start + 1 { break }
                // One byte for each segment: of equal cuts the one with fewer.
                let crossing = end == cuts.count - 1 ? 0 : self.crossing[cuts[end]] + 1
                if least[start] + crossing < least[end] { (least[end], from[end]) = (least[start] + crossing, start) }
            }
        }
        var positions: [Int] = []
        var end = cuts.count - 1
        while end > 0 {
            positions.append(cuts[end])
            end = from[end]
        }
        return [0] + positions.reversed()
    }
}
