import Files
import Foundation
import Glibc
import Logging
import Subprocess
import SystemPackage
package import WorkerProtocol

/// Runs `supermerge worker` as a child in a session of its own: plan on its standard input, events on its standard
/// output, words for people on its standard error. Stopping it is SIGTERM, and SIGKILL after `grace`.
package struct WorkerSupervisor: MergeWorker {
    /// Longest line on standard output: a result with one coefficient for each layer and task.
    static let longestEvent = 16 << 20

    /// Path of the program.
    var executable: String
    /// Looks in a row that find nothing new before a worker is killed.
    private static let silentLooks = 20

    /// Silence after which a worker is killed. Counted in looks: however long this machine slept or this daemon was
    /// stopped, that is one of them.
    var patience: Duration
    /// Time that reading headers for an estimate may take.
    var estimatePatience = Duration.seconds(60)
    /// Time between SIGTERM and SIGKILL.
    var grace: Duration
    /// Where the child's process number is kept, so that a daemon that was killed finds its orphan.
    var mark: WorkerPIDFile?
    var clock: any Clock<Duration>
    var logger: Logger

    package func merge(
        _ plan: MergePlan, onEvent: @escaping @Sendable (WorkerEvent) async -> Void
    ) async -> WorkerOutcome {
        let transcript = WorkerTranscript()
        let input: [UInt8]
        do {
            input = Array(try JSON.encode(plan))
        } catch {
            return .crashed("the plan can't be written as JSON: \(error)")
        }
        let status: TerminationStatus
        do {
            status = try await ChildProcess(
                executable: .path(FilePath(executable)), arguments: ["worker"], input: input,
                teardown: [.send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: grace)]
            ).run { child in
                mark?.write(child.processIdentifier)
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    group.addTask { try await readEvents(child.output, transcript, onEvent) }
                    group.addTask { try await readWords(child.errors, transcript) }
                    group.addTask {
                        if await isHung(transcript) { await child.end() }
                        return false
                    }
                    var readers = 2
                    while readers > 0, let wasReader = try await group.next() { readers -= wasReader ? 1 : 0 }
                    group.cancelAll()
                }
            }
        } catch {
            mark?.remove()
            if Task.isCancelled { return .cancelled }
            return .crashed("\(executable) can't be run: \(error); check `worker` in the configuration")
        }
        mark?.remove()
        if transcript.isHung {
            return .crashed("the worker said nothing for \(Quantity.text(patience)) and was killed")
        }
        if transcript.malformedLines > 0 {
            logger.warning(
                "worker wrote lines that are not events", metadata: ["lines": "\(transcript.malformedLines)"])
        }
        return Self.outcome(status, transcript, isCancelled: Task.isCancelled)
    }

    private static func outcome(
        _ status: TerminationStatus, _ transcript: WorkerTranscript, isCancelled: Bool
    ) -> WorkerOutcome {
        if status.isSuccess, let result = transcript.result { return .finished(result) }
        if isCancelled { return .cancelled }
        if let failure = transcript.failure { return .failed(failure) }
        let words = transcript.stderrTail.isEmpty ? "" : "; it said: \(transcript.stderrTail)"
        switch status {
        case .exited(0): return .crashed("the worker ended without a result\(words)")
        case .exited(let code): return .crashed("the worker ended with status \(code)\(words)")
        case .signaled(SIGKILL):
            return .crashed("the worker was killed (SIGKILL), probably for memory; lower merge.memory or batch\(words)")
        case .signaled(let signal): return .crashed("the worker was ended by signal \(signal)\(words)")
        }
    }

    private func readEvents(
        _ output: SubprocessOutputSequence, _ transcript: WorkerTranscript,
        _ onEvent: @Sendable (WorkerEvent) async -> Void
    ) async throws -> Bool {
        var splitter = LineSplitter(limit: Self.longestEvent)
        for try await buffer in output {
            for line in splitter.take(unsafe buffer.withUnsafeBytes { unsafe Array($0) }) {
                await hand(transcript.take(line), onEvent)
            }
        }
        if let line = splitter.finish() { await hand(transcript.take(line), onEvent) }
        return true
    }

    private func hand(_ event: WorkerEvent?, _ onEvent: @Sendable (WorkerEvent) async -> Void) async {
        switch event {
        case .started, .progress: if let event { await onEvent(event) }
        case .finished, .failed, nil: break
        }
    }

    private func readWords(_ errors: SubprocessOutputSequence, _ transcript: WorkerTranscript) async throws -> Bool {
        var splitter = LineSplitter(limit: 8 << 10)
        for try await buffer in errors {
            for line in splitter.take(unsafe buffer.withUnsafeBytes { unsafe Array($0) }) { note(line, transcript) }
        }
        if let line = splitter.finish() { note(line, transcript) }
        return true
    }

    private func note(_ line: [UInt8], _ transcript: WorkerTranscript) {
        let text = String(decoding: line, as: UTF8.self)
        transcript.noteLastWords(text)
        logger.debug("worker", metadata: ["says": "\(text)"])
    }

    /// Returns true when nothing was heard for so many looks, false when cancelled.
    private func isHung(_ transcript: WorkerTranscript) async -> Bool {
        var (heard, silence) = (transcript.eventCount, 0)
        while silence < Self.silentLooks {
            guard (try? await clock.sleep(for: patience / Self.silentLooks)) != nil else { return false }
            let now = transcript.eventCount
            silence = now == heard ? silence + 1 : 0
            heard = now
        }
        transcript.isHung = true
        return true
    }
}
