internal import Files
internal import Safetensors
internal import Torch

/// The task vectors τ(i,j) = θf(i,j) − θp(j), read a piece at a time from the files and never all resident.
///
/// Memory: one piece of the base and of every task, `scratchElements` in all, or one row of each where rows are longer;
/// and during a fit `cacheBytes` of what was read, so that small models are read once.
final class TaskVectors {
    let base: Checkpoint
    let tasks: [any VectorSource]
    let layers: [Layer]
    /// `active[i][j]`: whether τ(i,j) has an element that is not zero. Layers that belong to a head are not active.
    private(set) var active: [[Bool]] = []

    /// What `merge` does with the task vectors.
    var rule: any MergeRule = ScaledSum()
    /// What is done with running statistics, whatever the rule.
    private let sum = ScaledSum()

    /// `replaced[i][j]`: whether θf(i,j) is read whole, from the task's checkpoint.
    private(set) var replaced: [[Bool]]
    /// Layers of which some τ has a structure: their pieces are whole rows.
    private let isStructured: [Bool]
    /// What was read of the factors of structured τ.
    let factors = FactorCache(bytes: cacheBytes)

    /// One place for the base, then one for each task.
    private let scratch: [Scratch]
    /// Where structured τ are added to the base's, for what takes whole tensors.
    private var folded: [Int: Scratch] = [:]
    private let longestPiece: Int
    /// Whether what is read will be read again, and so is worth keeping: set for the steps of a fit.
    var keepsRead = false { didSet { if !keepsRead { cache.empty() } } }
    private let cache = PieceCache(bytes: cacheBytes)
    private let pieceElements: Int
    private static let scratchElements = 1 << 21
    /// Elements below which waking another thread costs more than reading.
    private static let threadElements = 1 << 16
    private static let cacheBytes = 64 << 20

    /// `hashing`: the files' digests are wanted too, as far as possible from the reads of the merge. `active` is given
    /// where it is known which of the τ(i,j) are zero.
    init(
        base: Checkpoint, tasks: [any VectorSource], layers: [Layer], hashing: Bool = false, active: [[Bool]]? = nil
    ) throws {
        self.base = base
        self.tasks = tasks
        self.layers = layers
        pieceElements = max(1 << 14, Self.scratchElements / (tasks.count + 1))
        let active = active ?? tasks.map { task in layers.map { task.moves($0.name) } }
        self.active = active
        replaced = tasks.map { task in layers.map { task.replaces($0.name) } }
        isStructured = layers.indices.map { index in
            tasks.indices.contains { task in
                active[task][index] && tasks[task].adapter?.updates[layers[index].name]?.structure != nil
            }
        }
        let longest = layers.indices.map { [pieceElements, isStructured] index in
            let unit = layers[index].unit(wholeRows: isStructured[index])
            return max(unit, min(layers[index].elementCount, unit + pieceElements))
        }
        longestPiece = longest.max() ?? 1
        let bytes = 8 * longestPiece
        scratch = try ([base] + tasks.map(\.checkpoint)).map { checkpoint in
            try Scratch(bytes: bytes, hashing: hashing ? checkpoint.files : [])
        }
    }

    /// Some rows of a layer, read into memory: the base's and those of every active task.
    @unsafe
    struct Piece {
        /// Rows that the layer's weights belong to; a layer with one weight has one row in all.
        let rows: Range<Int>
        /// Elements of the layer.
        let elements: Range<Int>
        let origin: MergeKernel.Piece
        /// θf of the tasks that hold the layer whole.
        var vectors: [MergeKernel.Piece]
        /// Their places, in order.
        var owners: [Int]
        /// τ of the tasks that give it a structure, of the whole layer; a task may have one beside its θf.
        var updates: [MergeKernel.Update]
        var updateOwners: [Int]
        /// Rows of the layer as a matrix, and its columns, where there are updates.
        let matrix: (rows: Range<Int>, columns: Int)
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

    /// Reads the layer piece by piece; a piece is valid during its call. `folding`: every τ comes as the θf that it
    /// makes, in order of the movers, as every rule but the sum takes it. `task`: only its own. `isNeeded`: whether
    /// these elements are to be read.
    func forEachPiece(
        of index: Int, folding: Bool = false, only task: Int? = nil,
        where isNeeded: (Range<Int>) -> Bool = { _ in true }, _ body: (Piece) throws -> Void
    ) throws {
        let layer = layers[index]
        let movers = movers(of: index).filter { task == nil || task == $0 }
        let whole = movers.filter { replaced[$0][index] }
        let structured = isStructured[index] ? movers.filter { structure($0, index) != nil } : []
        let updates = try structured.compactMap { try update(of: $0, layer: index) }
        let columns = layer.matrixColumns
        let unit = layer.unit(wholeRows: isStructured[index])
        for elements in layer.pieces(of: pieceElements, unit: unit) where isNeeded(elements) {
            let pieces = try unsafe read(index, elements, whole)
            let rows =
                layer.weightRows == 1 ? 0..<1 : elements.lowerBound / layer.stride..<elements.upperBound / layer.stride
            var piece = unsafe Piece(
                rows: rows, elements: elements, origin: pieces[0], vectors: Array(pieces[1...]), owners: whole,
                updates: updates, updateOwners: structured,
                matrix: (elements.lowerBound / columns..<elements.upperBound / columns, columns))
            if !updates.isEmpty && (folding || !rule.isSum) { try unsafe fold(&piece) }
            try unsafe body(piece)
        }
    }

    /// Puts θf in the place of every τ with a structure.
    private func fold(_ piece: inout Piece) throws {
        var vectors = unsafe Dictionary(uniqueKeysWithValues: zip(piece.owners, piece.vectors))
        let (updates, owners) = unsafe (piece.updates, piece.updateOwners)
        for (task, update) in zip(owners, updates) {
            let scratch = try folded[task] ?? Scratch(bytes: 4 * longestPiece)
            folded[task] = scratch
            unsafe vectors[task] = try unsafe scratch.hold { place in
                try unsafe sum(piece, [vectors[task]].compactMap { unsafe $0 }, update, into: place)
            }
        }
        unsafe piece.owners = vectors.keys.sorted()
        unsafe piece.vectors = unsafe piece.owners.compactMap { unsafe vectors[$0] }
        unsafe (piece.updates, piece.updateOwners) = ([], [])
    }

    func sum(
        _ piece: Piece, _ own: [MergeKernel.Piece], _ update: MergeKernel.Update, into place: UnsafeMutableRawPointer,
        _ dtype: DType = .float32
    ) throws {
        let one = MergeKernel.Weights(coefficients: [1])
        try unsafe MergeKernel.structuredSum(
            origin: piece.origin, vectors: own, updates: [update],
            weights: [MergeKernel.Weights](repeating: one, count: own.count + 1), rows: piece.matrix.rows,
            columns: piece.matrix.columns, into: place, dtype)
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

    /// Writes θm(j) of one piece by the `rule`, by default θp(j) + Σᵢ c(i,j) · τ(i,j), to `result`, rounded once to
    /// `dtype`.
    func merge(
        _ piece: Piece, of index: Int, _ weights: MergingWeights, into result: UnsafeMutableRawPointer, _ dtype: DType
    ) throws {
        let rule = layers[index].isStatistic ? sum : rule
        try unsafe rule.merge(piece, of: index, weights, in: self, into: result, dtype)
    }

    /// One pass over all files that finds the task vectors that are zero throughout, so that no step reads them again.
    func findZeros(progress: (Int) throws -> Void) throws {
        for index in layers.indices {
            var seen: Set<Int> = []
            var structured: Set<Int> = []
            try unsafe forEachPiece(of: index) { piece in
                for (place, task) in unsafe piece.owners.enumerated() where !seen.contains(task) {
                    let vector = unsafe piece.vectors[place]
                    let origin = unsafe piece.origin
                    if unsafe !vector.hasSameBytes(as: origin, count: piece.elements.count) { seen.insert(task) }
                }
                let isBlank = unsafe piece.origin.isZero(count: piece.elements.count)
                let (updates, owners) = unsafe (piece.updates, piece.updateOwners)
                for (update, task) in zip(updates, owners) where !structured.contains(task) {
                    if !update.isZero(overZeros: isBlank) { structured.insert(task) }
                }
            }
            for task in movers(of: index) where !seen.contains(task) {
                replaced[task][index] = false
                if !structured.contains(task) { active[task][index] = false }
            }
            try progress(index + 1)
        }
    }
}
