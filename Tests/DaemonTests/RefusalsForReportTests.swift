import Ledger
import Releases
import Testing

@testable import Daemon

/// What a release's report tells of the time since the release before.
@Suite struct RefusalsForReportTests {
    private func entries(_ events: [LedgerEvent]) -> [LedgerEntry] {
        events.enumerated().map { LedgerEntry($1, sequence: $0, time: "t\($0)", previous: "") }
    }

    @Test func onlyRefusalsSinceTheLastReleaseAreTold() {
        let events = Reconciler.refusals(
            entries([
                LedgerEvent(.refused, task: "old", message: "before"),
                LedgerEvent(.published, version: 1, message: "p"),
                LedgerEvent(.accepted, task: "a", message: "accepted"),
                LedgerEvent(.refused, task: "b", message: "pickle", details: ["source": "admission"]),
                LedgerEvent(.refused, task: "c", message: "NaN", details: ["source": "worker"]),
                LedgerEvent(.gated, task: "a", message: "a fell"), LedgerEvent(.mergeFailed, message: "no room"),
                LedgerEvent(.mergeFailed, message: "no room"), LedgerEvent(.mergeCancelled, message: "stopped"),
            ]))
        #expect(
            events == [
                ReportedEvent(time: "t3", by: "admission", task: "b", message: "pickle"),
                ReportedEvent(time: "t4", by: "the merge", task: "c", message: "NaN"),
                ReportedEvent(time: "t5", by: "the gate", task: "a", message: "a fell"),
                ReportedEvent(time: "t6", by: "a failure", message: "no room"),
            ])
    }

    @Test func theNewestAreToldWhereThereAreMany() {
        let events = Reconciler.refusals(entries((0..<250).map { LedgerEvent(.gated, message: "\($0)") }))
        #expect(events.count == 100 && events.last?.message == "249")
    }
}
