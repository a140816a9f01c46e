import Foundation
import Synchronization
import WorkerProtocol

/// What one worker has said so far.
final class WorkerTranscript: Sendable {
    private struct State {
        var result: MergeResult?
        var failure: WorkerEvent.Failure?
        var malformedLines = 0
        var stderrTail: [String] = []
        var eventCount = 0
        var isHung = false
    }
    private static let stderrTailLines = 12
    private let state = Mutex(State())

    var result: MergeResult? { state.withLock { $0.result } }
    var failure: WorkerEvent.Failure? { state.withLock { $0.failure } }
    /// Counts everything that shows that the worker gets further.
    var eventCount: Int { state.withLock { $0.eventCount } }
    /// Whether the worker was killed because it said nothing.
    var isHung: Bool {
        get { state.withLock { $0.isHung } }
        set { state.withLock { $0.isHung = newValue } }
    }
    /// Lines on standard output that are not events.
    var malformedLines: Int { state.withLock { $0.malformedLines } }
    /// The end of standard error as one line; empty where it said nothing.
    var stderrTail: String { state.withLock { $0.stderrTail.suffix(3).joined(separator: " | ") } }

    /// Decodes one line of standard output; nil where it isn't an event.
    func take(_ line: [UInt8]) -> WorkerEvent? {
        let event = try? JSON.decode(WorkerEvent.self, from: Data(line))
        state.withLock {
            switch event {
            case .finished(let result): $0.result = result
            case .failed(let failure): $0.failure = failure
            case .started, .progress: break
            case nil:
                $0.malformedLines += 1
                return
            }
            $0.eventCount += 1
        }
        return event
    }

    func noteLastWords(_ line: String) {
        state.withLock {
            $0.stderrTail.append(String(line.prefix(500)))
            if $0.stderrTail.count > Self.stderrTailLines { $0.stderrTail.removeFirst() }
        }
    }
}
