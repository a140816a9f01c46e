internal import Tasks
internal import Torch

/// A task's own head in float32, by the keys of `TiedNames`: in memory, or read whenever it is asked for.
struct TaskHead {
    let names: Set<String>
    private let task: TaskModel
    private let ties: TiedNames
    private let kept: [String: Tensor]?

    init(_ task: TaskModel, _ ties: TiedNames, isResident: Bool) throws {
        self.task = task
        self.ties = ties
        names = Set(task.head.map(ties.key))
        kept = isResident ? try Self.read(task, ties) : nil
    }

    /// Bytes in memory.
    var residentBytes: Int { kept?.values.reduce(0) { $0 + 4 * $1.elementCount } ?? 0 }

    func tensors() throws -> [String: Tensor] { try kept ?? Self.read(task, ties) }

    private static func read(_ task: TaskModel, _ ties: TiedNames) throws -> [String: Tensor] {
        ties.keyed(try task.checkpoint.parameters(task.head, of: task.name))
    }
}
