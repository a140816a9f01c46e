internal import Files
internal import Torch
internal import WorkerProtocol

/// TIES-Merging (Yadav et al., arXiv 2306.01708), algorithm 1: of each task vector the share of largest magnitude is
/// kept, for each element the sign of the sum is elected, and the mean over the tasks that agree with it is taken,
/// times λ.
enum TIES: MergeMethod {
    static let method = MergeSettings.Method.ties
    /// A mean bears a larger λ than a sum: 0.1 to 2.5 by 0.1.
    static let scales = (1...25).map { Double($0) / 10 }

    static func rule(
        for vectors: TaskVectors, _ settings: ResolvedSettings, progress: (_ done: Int, _ total: Int) throws -> Void
    ) throws -> any MergeRule {
        ElectedMean(
            thresholds: try vectors.tiesThresholds(
                share: settings.density, progress: progress))
    }
}

/// Trim, elect signs, disjoint mean, times λ.
final class ElectedMean: MergeRule {
    let isSum = false
    /// Each task's smallest magnitude that is kept.
    private let thresholds: [Float]

    init(thresholds: [Float]) { self.thresholds = thresholds }

    func merge(
        _ piece: TaskVectors.Piece, of layer: Int, _ weights: MergingWeights, in vectors: TaskVectors,
        into result: UnsafeMutableRawPointer, _ dtype: DType
    ) throws {
        try unsafe MergeKernel.ties(
            origin: piece.origin, vectors: piece.vectors, thresholds: piece.owners.map { thresholds[$0] },
            elements: piece.elements.count, factor: weights.coefficients(of: piece, layer).first ?? 0, into: result,
            dtype)
    }
}

extension TaskVectors {
    /// Each task's threshold of TIES: the magnitude of rank d − ⌊share · d⌋ from below over the d elements of its whole
    /// task vector, so that elements of equal magnitude are kept or dropped together.
    ///
    /// Two passes over the files and 512 KiB a task, whatever the model: first the bin of the upper bits, then the
    /// lower bits.
    func tiesThresholds(share: Double, progress: (_ done: Int, _ total: Int) throws -> Void) throws -> [Float] {
        let lengths = tasks.indices.map { task in
            layers.filter { !$0.isStatistic && !tasks[task].owns($0.name) }.map(\.elementCount).reduce(0, +)
        }
        let ranks = lengths.map { $0 - Int(Double($0) * share) }
        let upper = try magnitudes(within: nil) { try progress($0, 2 * layers.count) }
        let bins = zip(upper, ranks).map { Self.bin(of: $1, in: $0) }
        let lower = try magnitudes(within: bins.map(\.bin)) { try progress(layers.count + $0, 2 * layers.count) }
        return tasks.indices.map { task in
            guard ranks[task] > 0 else { return 0 }
            let low = Self.bin(of: ranks[task] - bins[task].before, in: lower[task]).bin
            return Float(bitPattern: UInt32(bins[task].bin << 15 | low))
        }
    }

    /// Each task's counts over all its layers.
    private func magnitudes(within upper: [Int]?, progress: (Int) throws -> Void) throws -> [[Int64]] {
        let size = upper == nil ? MergeKernel.upperBins : MergeKernel.lowerBins
        var counts = tasks.map { _ in [Int64](repeating: 0, count: size) }
        for task in tasks.indices where upper.map({ $0[task] == 0 }) ?? true {
            // An adapter leaves out what it does not move.
            counts[task][0] = layers.indices.reduce(0) { sum, index in
                let layer = layers[index]
                let isStill = !active[task][index] && !layer.isStatistic && !tasks[task].owns(layer.name)
                return isStill ? sum + Int64(layer.elementCount) : sum
            }
        }
        for index in layers.indices where !layers[index].isStatistic {
            let movers = movers(of: index)
            try unsafe forEachPiece(of: index, folding: true) { piece in
                let places = Array(movers.enumerated())
                let added = try Concurrently.map(places, threads: TorchRuntime.threads) { place, task in
                    var bins = counts[task]
                    try unsafe MergeKernel.countMagnitudes(
                        origin: piece.origin, vector: piece.vectors[place], elements: piece.elements.count,
                        upper: upper?[task], into: &bins)
                    return bins
                }
                for (place, task) in places { counts[task] = added[place] }
            }
            try progress(index + 1)
        }
        return counts
    }

    /// The bin that holds the element of 1-based rank `rank` from below, and how many elements lie in the bins before
    /// it.
    private static func bin(of rank: Int, in counts: [Int64]) -> (bin: Int, before: Int) {
        var before = 0
        for (bin, count) in counts.enumerated() {
            if before + Int(count) >= rank { return (bin, before) }
            before += Int(count)
        }
        return (max(0, counts.count - 1), before)
    }
}
