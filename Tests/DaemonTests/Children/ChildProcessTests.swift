import Foundation
import Synchronization
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(20)))
struct ChildProcessTests {
    private static func shell(_ script: String, input: [UInt8]? = nil) -> ChildProcess {
        ChildProcess(executable: .path("/bin/sh"), arguments: ["-c", script], input: input)
    }

    @Test func collectsOutputsAndStatus() async throws {
        let answer = try await Self.shell("cat; echo trouble >&2; exit 3", input: Array("hello".utf8))
            .answer(limit: 100)
        #expect(answer.output == Array("hello".utf8) && answer.errors == Array("trouble\n".utf8))
        #expect(answer.status == .exited(3))
    }

    @Test func handsOverLargeInputs() async throws {
        let input = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let answer = try await Self.shell("cat", input: input).answer(limit: input.count)
        #expect(answer.output == input)
    }

    @Test func endsChildThatSaysTooMuch() async throws {
        await #expect(throws: ChildProcess.TooLong(limit: 1000)) {
            _ = try await Self.shell("while :; do echo too much; done").answer(limit: 1000)
        }
    }

    @Test func startsNothingForCancelledCaller() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sm-child-\(UUID().uuidString)").path
        let started = Mutex(false)
        let (gate, opening) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            for await _ in gate {}
            started.withLock { $0 = true }
            _ = try await Self.shell("mkdir \(folder)").answer(limit: 10)
        }
        task.cancel()
        opening.finish()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(started.withLock { $0 } && !FileManager.default.fileExists(atPath: folder))
    }

    /// The outputs are closed, so that nothing is left to read when the caller is cancelled.
    @Test func endsChildThatLivesOnWithClosedOutputs() async throws {
        let (closed, closing) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await Self.shell("exec >&- 2>&-; exec sleep 10000").run { child in
                for try await _ in child.output {}
                for try await _ in child.errors {}
                closing.finish()
            }
        }
        for await _ in closed {}
        task.cancel()
        #expect(try await task.value == .signaled(9))
    }

    /// In a process of its own: what was wrong here ended the whole process.
    @Test func survivesChildrenThatDoNotReadTheirInputInOwnProcess() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_IGN)
            let input = [UInt8](repeating: 7, count: 4 << 20)
            for _ in 0..<100 {
                let child = ChildProcess(executable: .path("/bin/true"), input: input)
                guard try await child.answer(limit: 10).status == .exited(0) else { fatalError("not 0") }
            }
        }
    }

    /// In a process of its own, as above: cancelled before, while and after the child is started.
    @Test func survivesCancellationAtAnyMomentInOwnProcess() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_IGN)
            let input = [UInt8](repeating: 7, count: 1 << 20)
            for pauses in 0..<300 {
                let task = Task {
                    try await ChildProcess(
                        executable: .path("/bin/sh"), arguments: ["-c", "exec sleep 10000"],
                        input: pauses % 3 == 0 ? nil : input
                    ).answer(limit: 10)
                }
                for _ in 0..<(pauses / 2) { await Task.yield() }
                task.cancel()
                let answer = try? await task.value
                guard answer.map({ $0.status == .signaled(9) }) ?? true else { fatalError("it was not ended") }
            }
        }
    }

    /// In a process of its own, with from no file more to open to enough for 30 children. What else it has open, it has
    /// from the process that runs all tests.
    @Test func survivesWhereNoFileCanBeOpenedInOwnProcess() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_IGN)
            let child = ChildProcess(executable: .path("/bin/true"), input: [7])
            _ = try await child.answer(limit: 10)
            var (most, failures, successes) = (rlim_t(open("/dev/null", O_RDONLY)), 0, 0)
            while successes < 30, most < 4096 {
                most += 1
                var limit = rlimit(rlim_cur: most, rlim_max: 4096)
                guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { fatalError() }
                do {
                    _ = try await child.answer(limit: 10)
                    successes += 1
                } catch {
                    failures += 1
                }
            }
            guard failures > 0, successes == 30 else { fatalError("\(failures) failures, \(successes) successes") }
        }
    }
}
