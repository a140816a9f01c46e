import Files
import Subprocess
import Synchronization
import SystemPackage

/// Starts children. Everything in the daemon that runs a program does it here, because `Subprocess` ends the whole
/// process in three cases that the outside world can bring about:
///
/// - A child that ends, or is cancelled, before it has read its standard input. The library's own writer then throws
///   without closing the pipe, and a pipe that is not closed is a fatal error. Here the input is written by a task that
///   always closes it; a child that doesn't read its input is judged by its answer and its exit status.
/// - A task that is cancelled while its child is being started. Here the child runs in a task that is not cancelled
///   before the child's outputs are read; the cancelled caller has the child ended by `teardown` instead.
/// - Open files have reached their limit: a pipe that was made before the one that can't be is not closed either. Here
///   the child is not started unless all that it takes can be opened.
struct ChildProcess: Sendable {
    var executable: Executable
    var arguments: [String] = []
    var environment = Environment.inherit
    var folder: String?
    /// Bytes on standard input; nil: /dev/null.
    var input: [UInt8]?
    /// What a cancelled child gets before SIGKILL.
    var teardown: [TeardownStep] = []

    /// A child that runs, as long as `body` of `run` does.
    struct Running: Sendable {
        let processIdentifier: Int32
        let output: SubprocessOutputSequence
        let errors: SubprocessOutputSequence
        /// Ends the child, and returns when it has ended.
        let end: @Sendable () async -> Void
    }

    /// What a child said and came to.
    struct Answer: Sendable {
        var output: [UInt8]
        var errors: [UInt8]
        var status: TerminationStatus
    }

    /// A child that said more than it may. It is ended.
    struct TooLong: Error, Equatable, CustomStringConvertible {
        var limit: Int
        var description: String { "the output is longer than \(limit) bytes" }
    }

    /// Runs a child to its end. `body` reads its outputs; where it throws, the child is ended.
    ///
    /// Throws `CancellationError` where the caller was cancelled before the child was started, `SubprocessError` where
    /// it can't be started, `FilesError` where too many files are open, and what `body` throws.
    func run(_ body: @escaping @Sendable (Running) async throws -> Void) async throws -> TerminationStatus {
        try Task.checkCancellation()
        let cancellation = Cancellation()
        let child = Task {
            if let input {
                return try await start(.inputWriter, cancellation, body) { execution in
                    let writer = execution.standardInputWriter
                    _ = try? await writer.write(input)
                    try? await writer.finish()
                }
            }
            return try await start(.none, cancellation, body) { _ in }
        }
        return try await withTaskCancellationHandler {
            try await child.value
        } onCancel: {
            if cancellation.request() { child.cancel() }
        }
    }

    /// Runs a child to its end and collects what it says.
    ///
    /// Throws as `run` does, and `TooLong` where one output has more than `limit` bytes.
    func answer(limit: Int) async throws -> Answer {
        let (output, errors) = (Collected(limit: limit), Collected(limit: limit))
        let status = try await run { child in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await output.read(child.output) }
                group.addTask { try await errors.read(child.errors) }
                // Not `waitForAll`, which waits for the other output of a child that said too much, too.
                for try await _ in group {}
            }
        }
        return Answer(output: await output.bytes, errors: await errors.bytes, status: status)
    }

    private func start<Input: InputProtocol>(
        _ input: Input, _ cancellation: Cancellation, _ body: @escaping @Sendable (Running) async throws -> Void,
        feed: @escaping @Sendable (Execution<Input, SequenceOutput, SequenceOutput>) async -> Void
    ) async throws -> TerminationStatus {
        try checkDescriptors()
        var options = PlatformOptions()
        // A session of its own, so that signals reach the child's children too.
        options.createSession = true
        options.teardownSequence = teardown
        return try await Subprocess.run(
            executable, arguments: Arguments(arguments), environment: environment,
            workingDirectory: folder.map { FilePath($0) }, platformOptions: options, input: input, output: .sequence,
            error: .sequence
        ) { [teardown] execution in
            let end = { @Sendable in await execution.teardown(using: teardown) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await feed(execution) }
                group.addTask { for await _ in cancellation.requests { await end() } }
                try await body(
                    Running(
                        processIdentifier: execution.processIdentifier.value, output: execution.standardOutput,
                        errors: execution.standardError, end: end))
                // A child may live on with its outputs closed.
                if cancellation.finishReading() { await end() }
                group.cancelAll()
            }
        }.terminationStatus
    }

    /// Descriptors that must be free: several times what a child's pipes, their copies and what watches them take, as
    /// other threads open files meanwhile.
    private static let descriptors = 64

    /// Throws where so many files can't be opened.
    private func checkDescriptors() throws {
        var opened: [FileDescriptor] = []
        defer { for descriptor in opened { try? descriptor.close() } }
        for _ in 0..<Self.descriptors {
            do {
                opened.append(try FileDescriptor.open(FilePath("/dev/null"), .readOnly, options: .closeOnExec))
            } catch let error as Errno {
                throw FilesError.system(call: "start", path: "\(executable)", errno: error.rawValue)
            }
        }
    }

    /// Whether the caller was cancelled, and whether the child's task may be by now.
    private final class Cancellation: Sendable {
        let requests: AsyncStream<Void>
        private let continuation: AsyncStream<Void>.Continuation
        private let state = Mutex((isRequested: false, isRead: false))

        init() { (requests, continuation) = AsyncStream.makeStream(of: Void.self) }

        /// Returns whether the outputs are read, so that the task itself is to be cancelled.
        func request() -> Bool {
            continuation.yield()
            return state.withLock {
                $0.isRequested = true
                return $0.isRead
            }
        }

        /// Returns whether the caller was cancelled before.
        func finishReading() -> Bool {
            state.withLock {
                $0.isRead = true
                return $0.isRequested
            }
        }
    }

    private actor Collected {
        private(set) var bytes: [UInt8] = []
        private let limit: Int

        init(limit: Int) { self.limit = limit }

        func read(_ output: SubprocessOutputSequence) async throws {
            for try await buffer in output {
                unsafe buffer.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
                guard bytes.count <= limit else { throw TooLong(limit: limit) }
            }
        }
    }
}
