internal import Files
internal import Safetensors
internal import Torch

/// Logits of a task's own checkpoint on its whole validation set, in memory or in a file under the merge's scratch.
enum TeacherLogits {
    case kept(Tensor)
    case stored(ExampleColumn)

    /// The rows of some examples.
    func rows(_ indices: [Int]) throws -> Tensor {
        switch self {
        case .kept(let logits): try logits.rows(at: Tensor(indices.map(Int64.init), shape: [indices.count]))
        case .stored(let column): try column.rows(indices)
        }
    }

    /// Bytes in memory.
    var residentBytes: Int { if case .kept(let logits) = self { 4 * logits.elementCount } else { 0 } }

    static func directory(in scratch: String) -> String { scratch + "/teachers" }

    /// Collects what `body` hands out, one batch after another, in a new file for one task; `count` examples in all.
    static func storing(
        task: String, count: Int, in scratch: String, _ body: ((Tensor) throws -> Void) throws -> Void
    ) throws -> TeacherLogits {
        let path = directory(in: scratch) + "/\(task).safetensors"
        try Durable.createDirectories(directory(in: scratch))
        try Durable.remove(path)
        var writer: SafetensorsWriter?
        try body { logits in
            let logits = try logits.to(.float32).contiguous()
            let shape = [count] + logits.shape.dropFirst()
            let open =
                try writer ?? SafetensorsWriter(path: path, slots: [.init(name: "logits", dtype: .f32, shape: shape)])
            writer = open
            try unsafe logits.withUnsafeMutableBytes { try unsafe open.append(UnsafeRawBufferPointer($0)) }
        }
        _ = try writer?.finish()
        let file = try SafetensorsFile(file: ReadableFile(path: path))
        return .stored(try ExampleColumn(file, file.entries[0], task: nil, isResident: false))
    }
}
