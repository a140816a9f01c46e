internal import Safetensors
internal import Torch

/// The task vectors τ(i,j) = θf(i,j) − θp(j), computed a piece at a time from the files and never all resident.
///
/// Memory: three pieces of `pieceElements` float32, whatever the model and the number of tasks.
final class TaskVectors {
    let base: Checkpoint
    let tasks: [TaskModel]
    let layers: [Layer]
    /// `active[i][j]`: whether τ(i,j) has an element that is not zero. Layers that belong to a head are not active.
    private(set) var active: [[Bool]] = []

    private let baseScratch: Scratch
    private let taskScratch: Scratch
    private let mergedScratch: Tensor
    private static let pieceElements = 1 << 20

    init(base: Checkpoint, tasks: [TaskModel], layers: [Layer]) throws {
        self.base = base
        self.tasks = tasks
        self.layers = layers
        let longest = layers.map { max($0.chunkStride, min($0.elementCount, Self.pieceElements)) }.max() ?? 1
        baseScratch = try Scratch(capacity: longest)
        taskScratch = try Scratch(capacity: longest)
        mergedScratch = try Tensor(empty: [longest])
        let heads = tasks.map { Set($0.head) }
        active = heads.map { head in layers.map { !head.contains($0.name) } }
    }

    /// One piece of a layer: steps of the layer's chunk axis, and the elements they cover.
    struct Piece {
        let rows: Range<Int>
        let elements: Range<Int>
    }

    static func pieces(of layer: Layer) -> [Piece] {
        let stride = max(1, layer.chunkStride)
        let step = max(1, pieceElements / stride)
        return Swift.stride(from: 0, to: layer.chunkAxis, by: step).map { start in
            let end = min(start + step, layer.chunkAxis)
            return Piece(rows: start..<end, elements: start * stride..<end * stride)
        }
    }

    /// Calls `body` with each piece of τ(i,j) of every active task, flat in float32 and valid during the call.
    func forEachPiece(of index: Int, _ body: (Piece, Int, Tensor) throws -> Void) throws {
        let layer = layers[index]
        for piece in Self.pieces(of: layer) {
            let origin = try baseScratch.read(base, layer.name, piece.elements)
            for task in tasks.indices where active[task][index] {
                let vector = try taskScratch.read(tasks[task].checkpoint, layer.name, piece.elements)
                try vector.add(origin, alpha: -1)
                try body(piece, task, vector)
            }
        }
    }

    /// Calls `body` with each piece of θm(j) = θp(j) + Σᵢ c(i,j) · τ(i,j), flat in float32 and valid during the call.
    /// `coefficients` gives c(i,j) of a task: one number, or one for each row of the layer.
    func forEachMergedPiece(
        of index: Int, coefficients: (Int) -> [Double], _ body: (Piece, Tensor) throws -> Void
    ) throws {
        let layer = layers[index]
        let byTask = tasks.indices.map(coefficients)
        for piece in Self.pieces(of: layer) {
            let origin = try baseScratch.read(base, layer.name, piece.elements)
            let merged = try mergedScratch.rows(from: 0, count: piece.elements.count)
            try merged.copy(origin)
            for task in tasks.indices where active[task][index] {
                let vector = try taskScratch.read(tasks[task].checkpoint, layer.name, piece.elements)
                try vector.add(origin, alpha: -1)
                if layer.weightRows == 1 {
                    try merged.add(vector, alpha: byTask[task][0])
                } else {
                    let shape = [piece.rows.count, layer.chunkStride]
                    let factors = try Tensor(byTask[task][piece.rows].map(Float.init), shape: [piece.rows.count, 1])
                    try merged.reshaped(shape).addProduct(vector.reshaped(shape), factors)
                }
            }
            try body(piece, merged)
        }
    }

    /// One pass over all files that finds the task vectors that are zero throughout, so that no step reads them again.
    func findZeros(progress: (Int) throws -> Void) throws {
        for index in layers.indices {
            var seen = tasks.map { _ in false }
            try forEachPiece(of: index) { _, task, vector in
                if !seen[task], try Tensor.one("aten::any", [.tensor(vector)]).item() != 0 { seen[task] = true }
            }
            for task in tasks.indices { active[task][index] = active[task][index] && seen[task] }
            try progress(index + 1)
        }
    }

    /// Whether any task moves the layer.
    func isMoved(_ index: Int) -> Bool { active.contains { $0[index] } }
}
