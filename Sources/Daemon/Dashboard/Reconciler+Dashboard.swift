import Ledger
import Releases

extension Reconciler {
    func timeline() async throws -> Timeline {
        let entries = try await parts.ledger.entries(last: Timeline.mostEntries)
        let store = parts.store
        return Timeline(entries, standing: Set(try await BlockingIO.run { try store.standing() }))
    }

    /// report.html of a release that stands.
    func report(_ version: Int) async throws -> [UInt8] {
        let store = parts.store
        return try await BlockingIO.run { try store.report(version) }
    }
}
