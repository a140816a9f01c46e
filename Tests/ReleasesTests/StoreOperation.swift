import Files
import Foundation
import Testing

@testable import Releases

/// What is cut and failed at each of its calls.
enum StoreOperation: String, CaseIterable, Sendable {
    case firstPublish, publish, rollback, retire
    /// A release becomes the candidate; one takes the place of another; the candidate becomes what is deployed; it is
    /// rejected.
    case publishCandidate, replaceCandidate, promote, reject

    /// Whether release 4 may stand beside a deployed release 3.
    private var hasCandidate: Bool { [.publishCandidate, .replaceCandidate, .promote, .reject].contains(self) }

    /// The new release's number.
    var version: Int {
        switch self {
        case .firstPublish: 1
        case .replaceCandidate: 5
        default: 4
        }
    }

    /// Whether `current` stays as it is.
    private var keepsCurrent: Bool {
        [.retire, .publishCandidate, .replaceCandidate, .reject].contains(self)
    }

    /// Releases before the operation, the candidate included.
    var standing: Int { self == .firstPublish ? 0 : hasCandidate && self != .publishCandidate ? 4 : 3 }

    /// The fewest calls that change a file.
    var fewestSteps: Int { self == .promote ? 5 : self == .reject ? 2 : 10 }

    /// How a trial of the operation may end: with the release that was deployed, with the new one on trial or deployed.
    var outcomes: Set<String> {
        switch self {
        case .firstPublish, .publish, .rollback: ["old", "new"]
        case .retire: ["old"]
        case .publishCandidate, .reject: ["old", "candidate"]
        case .replaceCandidate: ["candidate", "new candidate"]
        case .promote: ["candidate", "new"]
        }
    }

    /// A deploy directory before the operation, and the operation.
    func prepare() throws -> (Deployment, run: () throws -> Void) {
        let deployment = try Deployment()
        let store = deployment.store
        _ = try store.recover()
        if self != .firstPublish {
            for value: UInt8 in 1...3 { try deployment.publish("m\(value)", value: value) }
        }
        switch self {
        case .promote:
            try deployment.publish("next", value: 9, isCandidate: true)
            return (deployment, { _ = try store.promoteCandidate(4) })
        case .reject:
            try deployment.publish("next", value: 9, isCandidate: true)
            return (deployment, { try store.dropCandidate() })
        case .firstPublish, .publish, .publishCandidate, .replaceCandidate:
            if self == .replaceCandidate { try deployment.publish("former", value: 8, isCandidate: true) }
            let isCandidate = hasCandidate
            let (staging, record) = try deployment.stage("next", value: 9)
            return (
                deployment,
                {
                    _ = try store.publish(
                        staging: staging, baseDirectory: deployment.base, record: record, isCandidate: isCandidate)
                }
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
            #expect(current?.version == 3 || (!keepsCurrent && current?.version == 4), note)
        }
        if let current {
            let weights: [StoreOperation: UInt8] = [.firstPublish: 9, .publish: 9, .rollback: 1, .promote: 9]
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
        try checkCandidate(store, note)
        for release in try store.releases() {
            #expect(try FileStatus(path: release.directory).mode & 0o222 == 0, note)
            #expect(release.version <= before?.version ?? 0 || hasCandidate && release.version >= 4, note)
        }
    }

    /// The candidate is the newest release that stands and is not deployed, unless it was rejected.
    private func checkCandidate(_ store: ReleaseStore, _ note: Comment) throws {
        let (current, candidate) = (try store.current()?.version, try store.candidate()?.version)
        let newest = try store.releases().map(\.version).max() ?? 0
        let isExpected = hasCandidate && newest >= 4 && current == 3
        #expect(candidate == (isExpected ? newest : nil) || self == .reject && candidate == nil, note)
        if let candidate { #expect(try store.verify(candidate) == [], note) }
    }

    /// One of `outcomes`, for the count, or `neither`.
    func outcome(_ store: ReleaseStore) throws -> String {
        let (current, candidate) = (try store.current()?.version, try store.candidate()?.version)
        let outcome =
            // A link that is left after a promotion means nothing; the next start removes it.
            switch (current, candidate == current ? nil : candidate) {
            case (3, 4): "candidate"
            case (3, 5): "new candidate"
            case (self == .firstPublish ? nil : 3, nil): "old"
            case (version, nil): "new"
            default: "neither"
            }
        return outcomes.contains(outcome) ? outcome : "neither"
    }
}
