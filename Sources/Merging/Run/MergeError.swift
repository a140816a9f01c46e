package import WorkerProtocol

/// Why a merge can't be done; the worker says it as a `WorkerEvent.Failure`.
package typealias MergeError = WorkerEvent.Failure

extension WorkerEvent.Failure {
    static func task(_ name: String, _ message: String) -> Self { .init(kind: .badTask, task: name, message: message) }
    static func base(_ message: String) -> Self { .init(kind: .badBase, message: message) }
    /// The task's fault where one is named, else the base's.
    static func blaming(_ task: String?, _ message: String) -> Self {
        task.map { .task($0, message) } ?? .base(message)
    }
    static func changed(_ path: String) -> Self {
        .init(
            kind: .inputChanged,
            message: "\(path) changed while it was read; the merge starts again from what is there now")
    }
}
