import Control
import Foundation
import WorkerProtocol

/// Those who wait for something to change. Used by the reconciler alone; costs nothing while nobody waits.
final class ChangeNotifier {
    /// Requests that wait at once: connections are left for commands.
    static let mostWaiting = 32
    /// Time between two answers that only progress asks for.
    private static let pause = Duration.milliseconds(200)

    private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    private var tickets = 0
    private var isEnded = false
    private var toldProgress = ContinuousClock.now - .seconds(1)
    private var phase: WorkerEvent.Progress.Phase?
    private var shown: (status: DaemonStatus, entries: Int)?
    /// Begins with the time, so that one of an earlier daemon is never met again.
    private var revision = Int(Date().timeIntervalSince1970 * 1000)

    var hasRoom: Bool { waiting.count < Self.mostWaiting && !isEnded }

    /// The revision of what is shown now.
    func revision(of status: DaemonStatus, entries: Int) -> Int {
        if let shown, shown == (status, entries) { return revision }
        shown = (status, entries)
        revision += 1
        return revision
    }

    func takeTicket() -> Int {
        tickets += 1
        return tickets
    }

    func wait(_ ticket: Int, _ continuation: CheckedContinuation<Void, Never>) {
        guard hasRoom else { return continuation.resume() }
        waiting[ticket] = continuation
    }

    func stopWaiting(_ ticket: Int) { waiting.removeValue(forKey: ticket)?.resume() }

    /// Something may have changed: everybody looks.
    func tell() {
        guard !waiting.isEmpty else { return }
        let all = waiting.values
        waiting = [:]
        for continuation in all { continuation.resume() }
    }

    /// As `tell`, for a merge's progress, and not too often.
    func tell(ofPhase phase: WorkerEvent.Progress.Phase, isLook: Bool) {
        guard isLook || phase != self.phase || .now >= toldProgress + Self.pause else { return }
        self.phase = phase
        toldProgress = .now
        tell()
    }

    /// Nobody waits any more.
    func end() {
        isEnded = true
        tell()
    }
}
