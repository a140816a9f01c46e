package import Control
import Ledger
import WorkerProtocol

extension Reconciler {
    /// Ledger entries that one answer may have.
    private static let mostEntries = 500

    /// Answers at once where `revision` is not the present one, else when something changes, or after `patience` as it
    /// is; with the ledger's entries after the number `sequence`, the `last` of them where given.
    package func watch(
        revision: Int?, after sequence: Int?, last: Int? = nil, patience: Duration = .seconds(20)
    ) async throws -> LongPollReply {
        let deadline = ContinuousClock.now + patience
        while true {
            let entries = await parts.ledger.count
            let status = status()
            let present = watching.revision(of: status, entries: entries)
            guard present == revision, watching.hasRoom, .now < deadline, !Task.isCancelled else {
                let new = try await self.entries(after: sequence, last: last)
                return LongPollReply(
                    revision: present, sequence: max(entries - 1, new.last?.sequence ?? -1), entries: new,
                    status: status)
            }
            await change(until: deadline)
        }
    }

    func tellWatchers(ofPhase phase: WorkerEvent.Progress.Phase, isLook: Bool) {
        watching.tell(ofPhase: phase, isLook: isLook)
    }

    private func entries(after sequence: Int?, last: Int?) async throws -> [LedgerEntry] {
        guard let sequence else { return [] }
        return try await parts.ledger.entries(after: sequence, atMost: min(last ?? .max, Self.mostEntries))
    }

    private func change(until deadline: ContinuousClock.Instant) async {
        let ticket = watching.takeTicket()
        let timer = Task {
            try? await Task.sleep(until: deadline, clock: .continuous)
            self.stopWatching(ticket)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { watching.wait(ticket, $0) }
        } onCancel: {
            Task { await self.stopWatching(ticket) }
        }
        timer.cancel()
    }

    private func stopWatching(_ ticket: Int) { watching.stopWaiting(ticket) }
}
