import Dispatch

/// Work that blocks on disks, kept off the threads that run Swift tasks.
enum BlockingIO {
    private static let queue = DispatchQueue(label: "supermerged.blocking")

    static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }
}
