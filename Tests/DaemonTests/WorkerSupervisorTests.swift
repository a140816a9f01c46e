import Foundation
import Logging
import Synchronization
import Testing
import WorkerProtocol

@testable import Daemon

@Suite(.timeLimit(.minutes(20)))
struct WorkerSupervisorTests {
    private func supervisor(
        _ path: String, clock: any Clock<Duration> = ContinuousClock(), grace: Duration = .endless
    ) -> WorkerSupervisor {
        WorkerSupervisor(
            executable: path, patience: .endless, estimatePatience: .endless, grace: grace, mark: nil, clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func run(_ body: String) async throws -> (outcome: WorkerOutcome, events: [WorkerEvent]) {
        let program = try FakeWorkerProgram(body)
        let events = Mutex<[WorkerEvent]>([])
        let outcome = await supervisor(program.path).merge(FakeWorkerProgram.plan) { event in
            events.withLock { $0.append(event) }
        }
        return (outcome, events.withLock { $0 })
    }

    private let progress = WorkerEvent.progress(.init(phase: .fitting, done: 3, total: 9))
    private var result: MergeResult {
        var result = MergeResult(tasks: [TaskResult(task: "a", fitted: 4)])
        result.steps = 9
        return result
    }

    @Test func aResultComesBackAndProgressIsSeen() async throws {
        let (outcome, events) = try await run(
            "\(try FakeWorkerProgram.say(progress))\n\(try FakeWorkerProgram.say(.finished(result)))")
        #expect(outcome == .finished(result))
        #expect(events == [progress])
    }

    @Test func thePlanArrivesWholeOnStandardInput() async throws {
        let program = try FakeWorkerProgram(try FakeWorkerProgram.say(.finished(result)))
        _ = await supervisor(program.path).merge(FakeWorkerProgram.plan) { _ in }
        let read = try Data(contentsOf: URL(filePath: program.folder + "/plan.json"))
        #expect(try JSON.decode(MergePlan.self, from: read) == FakeWorkerProgram.plan)
    }

    @Test func anEstimateIsAskedForWithoutAMerge() async throws {
        let estimate = MergeEstimate(
            strategy: StrategyChoice(strategy: .hierarchical, reason: "too much"), memory: 1_000_000)
        let json = String(decoding: try JSON.encode(estimate), as: UTF8.self)
        let program = try FakeWorkerProgram("echo \"$*\" > arguments\necho '\(json)'")
        let answer = await supervisor(program.path).estimate(FakeWorkerProgram.plan)
        #expect(answer == .success(estimate))
        #expect(try String(contentsOfFile: program.folder + "/arguments", encoding: .utf8) == "worker --estimate\n")
        let none = try FakeWorkerProgram("echo null")
        #expect(await supervisor(none.path).estimate(FakeWorkerProgram.plan) == .success(nil))
    }

    @Test(arguments: ["echo 'supermerge: no graph' >&2; exit 1", "echo '{'", "kill -9 $$"])
    func whatCantBeEstimatedIsSaidSo(body: String) async throws {
        let program = try FakeWorkerProgram(body)
        guard case .failure(let failure) = await supervisor(program.path).estimate(FakeWorkerProgram.plan) else {
            Issue.record("an estimate came back")
            return
        }
        #expect(!failure.message.isEmpty && (!body.contains("no graph") || failure.message == "no graph"))
    }

    @Test func aFailureSaysItsKind() async throws {
        let failure = WorkerEvent.Failure(kind: .badTask, task: "a", message: "labels outside the head")
        let (outcome, _) = try await run("\(try FakeWorkerProgram.say(.failed(failure)))\nexit 1")
        #expect(outcome == .failed(failure))
    }

    @Test func lastWordsOfACrashAreKept() async throws {
        let (outcome, _) = try await run("echo 'no such operator' >&2\nexit 9")
        guard case .crashed(let message) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(message.contains("status 9") && message.contains("no such operator"))
    }

    @Test func aKillIsTakenForWantOfMemory() async throws {
        let (outcome, _) = try await run("kill -9 $$")
        guard case .crashed(let message) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(message.contains("memory"))
    }

    @Test func aSuccessWithoutAResultIsACrash() async throws {
        let (outcome, _) = try await run("exit 0")
        guard case .crashed = outcome else { return #expect(Bool(false), "\(outcome)") }
    }

    @Test func aResultBeforeACrashDoesNotCount() async throws {
        let (outcome, _) = try await run("\(try FakeWorkerProgram.say(.finished(result)))\nexit 1")
        guard case .crashed = outcome else { return #expect(Bool(false), "\(outcome)") }
    }

    @Test func nonsenseOnStandardOutputIsPassedOver() async throws {
        let (outcome, events) = try await run(
            """
            echo 'hello'; echo '{"event":"dance"}'; echo '[]'; printf '\\377\\376\\n'; echo
            head -c 20000000 /dev/zero | tr '\\0' x; echo
            \(try FakeWorkerProgram.say(progress))
            printf '%s' "$(\(try FakeWorkerProgram.say(.finished(result))))"
            """)
        #expect(outcome == .finished(result))
        #expect(events == [progress])
    }

    @Test func aProgramThatIsNotThereIsSaidSo() async {
        let outcome = await supervisor("/nowhere/supermerge").merge(FakeWorkerProgram.plan) { _ in }
        guard case .crashed(let message) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(message.contains("/nowhere/supermerge"))
    }

    @Test func cancellingStopsTheWorker() async throws {
        let program = try FakeWorkerProgram(
            "trap ': > stopped; exit 1' TERM\n\(try FakeWorkerProgram.say(progress))\nwhile :; do sleep 0.05; done")
        let worker = supervisor(program.path)
        let (started, continuation) = AsyncStream<Void>.makeStream()
        let task = Task { await worker.merge(FakeWorkerProgram.plan) { _ in continuation.yield() } }
        for await _ in started { break }
        task.cancel()
        #expect(await task.value == .cancelled)
        #expect(FileManager.default.fileExists(atPath: program.folder + "/stopped"))
    }

    @Test func aWorkerThatIgnoresSigtermIsKilled() async throws {
        let program = try FakeWorkerProgram(
            "trap '' TERM\n\(try FakeWorkerProgram.say(progress))\nwhile :; do sleep 0.05; done")
        let worker = supervisor(program.path, grace: .milliseconds(50))
        let (started, continuation) = AsyncStream<Void>.makeStream()
        let task = Task { await worker.merge(FakeWorkerProgram.plan) { _ in continuation.yield() } }
        for await _ in started { break }
        task.cancel()
        #expect(await task.value == .cancelled)
    }

    @Test func aWorkerThatSaysNothingForTooLongIsKilled() async throws {
        let program = try FakeWorkerProgram("\(try FakeWorkerProgram.say(progress))\nexec sleep 1000")
        let clock = ManualClock()
        let worker = supervisor(program.path, clock: clock)
        let (started, continuation) = AsyncStream<Void>.makeStream()
        let task = Task { await worker.merge(FakeWorkerProgram.plan) { _ in continuation.yield() } }
        for await _ in started { break }
        let pump = Task {
            while !Task.isCancelled {
                if clock.sleeperCount > 0 { clock.advance(by: .endless) }
                await Task.yield()
            }
        }
        let outcome = await task.value
        pump.cancel()
        guard case .crashed(let message) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(message.contains("said nothing"))
    }

    /// A machine that was asleep, or a daemon that was stopped: the worker could say nothing meanwhile.
    @Test func aLeapOfTheClockDoesNotKillASilentWorker() async throws {
        let say = try FakeWorkerProgram.say(progress)
        let program = try FakeWorkerProgram(
            "\(say)\nwhile [ ! -e again ]; do sleep 0.05; done\n\(say)\nexec sleep 1000")
        let clock = ManualClock()
        let worker = supervisor(program.path, clock: clock)
        let (heard, continuation) = AsyncStream<Void>.makeStream()
        let task = Task { await worker.merge(FakeWorkerProgram.plan) { _ in continuation.yield() } }
        defer { task.cancel() }
        var words = heard.makeAsyncIterator()
        _ = await words.next()
        while clock.sleeperCount == 0 { try await turn() }
        #expect(FileManager.default.createFile(atPath: program.folder + "/again", contents: nil))
        _ = await words.next()
        // The look that hears of it, a leap, and silence: one look less than it takes.
        let look = Duration.endless / 20
        let leap = Duration.endless * 30
        for time in [look, leap] + Array(repeating: look, count: 18) {
            clock.advance(by: time)
            while clock.sleeperCount == 0 { try await turn() }
        }
        clock.advance(by: look)
        guard case .crashed(let message) = await task.value else { return #expect(Bool(false), "it was not killed") }
        #expect(message.contains("said nothing"))
    }

    @Test func linesAreBoundedAndCounted() {
        var splitter = LineSplitter(limit: 4)
        #expect(
            splitter.take(Array("ab\n\nabcde\nabcd\nx".utf8)).map { String(decoding: $0, as: UTF8.self) } == [
                "ab", "abcd",
            ])
        #expect(splitter.finish() == Array("x".utf8))
        #expect(splitter.dropped == 1)
    }
}
