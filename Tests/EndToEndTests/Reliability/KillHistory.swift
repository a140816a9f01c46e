import Foundation
import Ledger
import Releases

/// A site whose daemon is killed again and again: what was live once, and what an operator was told, has to stay in its
/// ledger.
struct KillHistory {
    static let forbidden = [
        "neither", "went back", "an entry of the ledger lost", "chain broken", "a number twice",
        "a live release changed",
    ]

    private(set) var last: Snapshot
    private var live: Set<Int> = []
    private var acknowledged: Set<Int> = []

    init(_ site: Site) throws {
        last = try Snapshot(site)
        if let current = last.current { live.insert(current) }
    }

    /// An operator was told that this release is a rollback.
    mutating func acknowledge(rollback version: Int) { acknowledged.insert(version) }

    /// Looks at the site after a kill and says what it found: one of `forbidden`, or `old`, `candidate` (another one is
    /// on trial, or none) or `new`. `hasStarted`:
    /// whether the daemon had said that it is ready; by then it has written down what the one before it could not.
    mutating func look(_ site: Site, hasStarted: Bool) throws -> String {
        let now = try Snapshot(site)
        defer {
            last = now
            if let current = now.current { live.insert(current) }
        }
        if let fault = now.fault(since: last) { return fault }
        let isKnown = acknowledged.isSubset(of: now.rolledBack) && (!hasStarted || live.isSubset(of: now.announced))
        guard isKnown else { return "an entry of the ledger lost" }
        guard now.current == last.current else { return "new" }
        return now.candidate == last.candidate ? "old" : "candidate"
    }

    /// What stands after a kill, before anybody has repaired something.
    struct Snapshot {
        private(set) var current: Int?
        private(set) var candidate: Int?
        private(set) var versions: [Int]
        /// Versions that the ledger knows, and those of them that are rollbacks.
        private(set) var announced: Set<Int> = []
        private(set) var rolledBack: Set<Int> = []
        private var digest: String?
        private var lines: [Substring]
        private var wrong: String?

        init(_ site: Site) throws {
            let store = ReleaseStore(deploy: site.deploy)
            do {
                let release = try store.current()
                (current, digest) = (release?.version, release?.digest)
                if let release, try store.verify(release.version) != [] { wrong = "neither" }
                candidate = try store.candidate()?.version
                if let candidate, try store.verify(candidate) != [] { wrong = "neither" }
            } catch {
                wrong = "neither"
            }
            versions = try store.releases().map(\.version)
            let text = try Execution.text(site.state + "/ledger.jsonl")
            lines = text[..<(text.lastIndex(of: "\n") ?? text.startIndex)].split(separator: "\n")
            guard let entries = try? Ledger.entries(path: site.state + "/ledger.jsonl") else {
                wrong = wrong ?? "chain broken"
                return
            }
            let published = entries.filter { $0.event == .published || $0.event == .rolledBack }.compactMap(\.version)
            announced = Set(published + entries.filter { $0.event == .promoted }.compactMap(\.version))
            rolledBack = Set(entries.filter { $0.event == .rolledBack }.compactMap(\.version))
            let tried = entries.filter { $0.event == .canaryStarted }.compactMap(\.version)
            if published != Set(published).sorted() || Set(published + tried).count != published.count + tried.count {
                wrong = wrong ?? "a number twice"
            }
        }

        func fault(since old: Snapshot) -> String? {
            if let wrong { return wrong }
            if (current ?? 0) < old.current ?? 0 { return "went back" }
            if current == old.current, digest != old.digest { return "a live release changed" }
            return lines.starts(with: old.lines) ? nil : "an entry of the ledger lost"
        }
    }
}
