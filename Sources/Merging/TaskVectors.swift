internal import Files
internal import Safetensors
internal import Torch

/// The task vectors τ(i,j) = θf(i,j) − θp(j), read a piece at a time from the files and never all resident.
///
/// Memory: one piece of the base and of every task, `scratchElements` in all, or one row of each where rows are longer; and
/// during a fit `cacheBytes` of what was read, so that small models are read once.
final class TaskVectors {
    let base: Checkpoint
    let tasks: [any VectorSource]
    let layers: [Layer]
    /// `active[i][j]`: whether τ(i,j) has an element that is not zero. Layers that belong to a head are not active.
    private(set) var active: [[Bool]] = []

    /// What `merge` does with the task vectors.
    var rule = MergeRule.sum

    /// One place for the base, then one for each task.
    private let scratch: [Scratch]
    /// Whether what is read will be read again, and so is worth keeping: set for the steps of a fit.
    var keepsRead = false
    private let cache = PieceCache(bytes: cacheBytes)
    private let pieceElements: Int
    private static let scratchElements = 1 << 21
    /// Elements below which waking another thread costs more than reading.
    private static let threadElements = 1 << 16
    private static let cacheBytes = 64 << 20

    /// `hashing`: the files' digests are wanted too, as far as possible from the reads of the merge. `active` is given where it
    /// is known which of the τ(i,j) are zero.
    init(
        base: Checkpoint, tasks: [any VectorSource], layers: [Layer], hashing: Bool = false, active: [[Bool]]? = nil
    ) throws {
        self.base = base
        self.tasks = tasks
        self.layers = layers
        pieceElements = max(1 << 14, Self.scratchElements / (tasks.count + 1))
        let longest = layers.map { [pieceElements] in max($0.stride, min($0.elementCount, $0.stride + pieceElements)) }
        let bytes = 8 * (longest.max() ?? 1)
        scratch = try ([base] + tasks.map(\.checkpoint)).map { checkpoint in
            try Scratch(bytes: bytes, hashing: hashing ? checkpoint.files : [])
        }
        self.active = active ?? tasks.map { task in layers.map { !task.owns($0.name) } }
    }

    /// Some rows of a layer, read into memory: the base's and those of every active task.
    @unsafe
    struct Piece {
        /// Rows that the layer's weights belong to; a layer with one weight has one row in all.
        let rows: Range<Int>
        /// Elements of the layer.
        let elements: Range<Int>
        let origin: MergeKernel.Piece
        let vectors: [MergeKernel.Piece]
    }

    /// SHA-256 of every file of the base and the tasks, by path.
    func sha256() throws -> [String: String] {
        try Concurrently.map(scratch, threads: TorchRuntime.threads) { try $0.sha256() }
            .reduce(into: [:]) { $0.merge($1) { first, _ in first } }
    }

    /// Tasks that move the layer.
    func movers(of index: Int) -> [Int] { tasks.indices.filter { active[$0][index] } }

    /// Whether any task moves the layer.
    func isMoved(_ index: Int) -> Bool { active.contains { $0[index] } }

    /// Reads the layer piece by piece; a piece is valid during its call.
    func forEachPiece(of index: Int, _ body: (Piece) throws -> Void) throws {
        let layer = layers[index]
        let movers = movers(of: index)
        for elements in layer.pieces(of: pieceElements) {
            let pieces = try unsafe read(index, elements, movers)
            let rows =
                layer.weightRows == 1 ? 0..<1 : elements.lowerBound / layer.stride..<elements.upperBound / layer.stride
            try unsafe body(Piece(rows: rows, elements: elements, origin: pieces[0], vectors: Array(pieces[1...])))
        }
    }

    /// The base's piece, then the movers': what is kept, else read from all files at once.
    private func read(_ index: Int, _ elements: Range<Int>, _ movers: [Int]) throws -> [MergeKernel.Piece] {
        let name = layers[index].name
        let sources: [(place: Int, checkpoint: Checkpoint)] =
            [(0, base)] + movers.map { ($0 + 1, tasks[$0].checkpoint) }
        if keepsRead {
            let kept = try unsafe sources.map { place, checkpoint in
                try unsafe cache.piece(source: place, layer: index, of: checkpoint, name, elements)
                    ?? scratch[place].read(checkpoint, name, elements)
            }
            return unsafe kept
        }
        func load(_ source: (place: Int, checkpoint: Checkpoint)) throws -> MergeKernel.Piece {
            try unsafe scratch[source.place].read(source.checkpoint, name, elements)
        }
        guard elements.count >= Self.threadElements else { return try unsafe sources.map(load) }
        return try unsafe Concurrently.map(sources, threads: TorchRuntime.threads, load)
    }

    /// Writes θm(j) of one piece by the `rule`, by default θp(j) + Σᵢ c(i,j) · τ(i,j), to `result`, rounded once to `dtype`.
    func merge(
        _ piece: Piece, of index: Int, _ weights: MergingWeights, into result: UnsafeMutableRawPointer, _ dtype: DType
    ) throws {
        let movers = movers(of: index)
        let coefficients = movers.flatMap { task in
            unsafe weights.coefficients(task: task, layer: index, rows: piece.rows).map(Float.init)
        }
        switch rule {
        case .sum:
            let gains = movers.flatMap { weights.gains(task: $0, layer: index).map(Float.init) }
            try unsafe MergeKernel.sum(
                origin: piece.origin, vectors: piece.vectors, coefficients: coefficients, gains: gains,
                rows: piece.rows.count, stride: piece.elements.count / piece.rows.count, into: result, dtype)
        case .ties(let thresholds):
            try unsafe MergeKernel.ties(
                origin: piece.origin, vectors: piece.vectors, thresholds: movers.map { thresholds[$0] },
                elements: piece.elements.count, factor: coefficients.first ?? 0, into: result, dtype)
        case .dare(let share, let seeds):
            try unsafe MergeKernel.dare(
                origin: piece.origin, vectors: piece.vectors, coefficients: coefficients,
                seeds: movers.map { seeds[$0] &+ UInt64(index) &* 0x2545_F491_4F6C_DD1D },
                first: piece.elements.lowerBound, elements: piece.elements.count, share: share, into: result, dtype)
        }
    }

    /// One pass over all files that finds the task vectors that are zero throughout, so that no step reads them again.
    func findZeros(progress: (Int) throws -> Void) throws {
        for index in layers.indices {
            var seen: Set<Int> = []
            let movers = movers(of: index)
            try unsafe forEachPiece(of: index) { piece in
                for (place, task) in movers.enumerated() where !seen.contains(task) {
                    let origin = unsafe piece.origin
                    let vector = unsafe piece.vectors[place]
                    if unsafe !vector.hasSameBytes(as: origin, count: piece.elements.count) { seen.insert(task) }
                }
            }
            for task in movers where !seen.contains(task) { active[task][index] = false }
            try progress(index + 1)
        }
    }
}
