import Files
import Foundation
import Testing

@testable import Releases

/// What is cut and failed at each of its calls.
enum StoreOperation: String, CaseIterable, Sendable {
    case firstPublish, publish, rollback, retire

    /// The new release's number.
    var version: Int { self == .firstPublish ? 1 : 4 }

    /// A deploy directory before the operation, and the operation.
    func prepare() throws -> (Deployment, run: () throws -> Void) {
        let deployment = try Deployment()
        let store = deployment.store
        _ = try store.recover()
        if self != .firstPublish {
            for value: UInt8 in 1...3 { try deployment.publish("m\(value)", value: value) }
        }
        switch self {
        case .firstPublish, .publish:
            let (staging, record) = try deployment.stage("next", value: 9)
            return (
                deployment,
                { _ = try store.publish(staging: staging, baseDirectory: deployment.base, record: record) }
            )
        case .rollback:
            return (deployment, { _ = try store.rollback(to: 1, created: "2026-01-09T00:00:00Z") })
        case .retire:
            let now = try #require(ReleaseStore.date("2027-01-01T00:00:00Z"))
            return (deployment, { _ = try store.retire(keep: 1, grace: .seconds(60), now: now) })
        }
    }

    /// What a reader may see at any moment: a whole release, old or new, behind `current`. Gives its number.
    @discardableResult
    func checkReaders(_ store: ReleaseStore, _ note: Comment) throws -> Int? {
        let current = try store.current()
        if self == .firstPublish {
            #expect(current == nil || current?.version == 1, note)
        } else {
            #expect(current?.version == 3 || (self != .retire && current?.version == 4), note)
        }
        if let current {
            let weights: [StoreOperation: UInt8] = [.firstPublish: 9, .publish: 9, .rollback: 1]
            #expect(try current.weight() == (current.version == 3 ? 3 : weights[self]), note)
            #expect(current.record.rollbackOf == (current.version == 4 && self == .rollback ? 1 : nil), note)
        }
        for release in try store.releases() { #expect(try store.verify(release.version) == [], note) }
        let names = try Durable.list(store.versions).compactMap { ReleaseStore.number($0) }
        #expect(try store.releases().map(\.version) == names.sorted(), note)
        return current?.version
    }

    /// What stands after a restart: what readers saw before, and nothing half-done.
    func checkRecovered(_ store: ReleaseStore, _ note: Comment) throws {
        let before = try store.current()
        #expect(try store.recover() == before, note)
        try checkReaders(store, note)
        #expect(store.readPointer()?.version == before?.version, note)
        #expect(store.readPointer()?.digest == before?.digest, note)
        #expect(try Durable.list(store.stagings) == [], note)
        #expect(try store.numbers().pending == false, note)
        for release in try store.releases() {
            #expect(try FileStatus(path: release.directory).mode & 0o222 == 0, note)
            #expect(release.version <= before?.version ?? 0, note)
        }
    }

    /// `old` or `new`, for the count; what is neither was noted by `checkReaders`.
    func outcome(_ version: Int?) -> String {
        if self == .retire { return version == 3 ? "old" : "neither" }
        if version == self.version { return "new" }
        return version == (self == .firstPublish ? nil : 3) ? "old" : "neither"
    }
}
