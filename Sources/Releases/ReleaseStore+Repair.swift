internal import Files
internal import WorkerProtocol

extension ReleaseStore {
    /// What a start found of `current`, and made of it.
    package struct Repair: Hashable, Sendable {
        /// The deployed release; nil where none stands.
        package var release: Release?
        /// What was wrong with `current`, where it was pointed at a release or taken away; nil where it was left as it was.
        package var reason: String?
    }

    /// Leaves a `current` alone that leads to a readable record; else points it at the release that `CURRENT.json` names, where
    /// that is whole and has the digest that stands there, or at the first that is whole in the history's order (without one: the
    /// newest). Takes it away where none stands.
    func repairCurrent(_ history: ReleaseHistory) throws -> Repair {
        let pointed = try currentNumber()
        var reason = "`current` was missing"
        if let pointed {
            do {
                return Repair(release: try readableRelease(pointed))
            } catch ReleasesError.unknownRelease {
                reason = "`current` pointed at release \(pointed), which is not there"
            } catch ReleasesError.badRecord(let path, let why) {
                reason = "`current` pointed at release \(pointed), whose record is damaged (\(path): \(why))"
            }
        }
        let (whole, damaged) = try firstWhole(history)
        if let whole {
            try pointLink(at: whole.version)
            return Repair(release: whole, reason: reason)
        }
        guard damaged.isEmpty else {
            throw ReleasesError.nothingWhole(deploy: deploy, reason: reason, damaged: damaged)
        }
        guard pointed != nil else { return Repair() }
        try Durable.remove(link)
        try Durable.syncDirectory(deploy)
        return Repair(reason: reason)
    }

    /// The release to fall back to, and before it those that can't be, each with the names of its damaged files. Reads every file of the
    /// releases that it tries; throws what the system refuses, so that a disk that fails for a moment makes no older release live.
    private func firstWhole(_ history: ReleaseHistory) throws -> (whole: Release?, damaged: [String]) {
        var damaged: [String] = []
        for version in try fallbacks(history) {
            do {
                let release = try readableRelease(version)
                let faults = try damage(of: release)
                if faults.isEmpty { return (release, damaged) }
                let more = faults.count > 3 ? " …" : ""
                damaged.append("release \(version) (\(faults.prefix(3).joined(separator: ", "))\(more))")
            } catch ReleasesError.unknownRelease {
                continue
            } catch ReleasesError.badRecord {
                damaged.append("release \(version) (\(ReleaseContents.recordName))")
            }
        }
        return (nil, damaged)
    }

    /// What stands, in the order in which it is tried. `CURRENT.json` names what was live last, unless the ledger has a later word.
    private func fallbacks(_ history: ReleaseHistory) throws -> [Int] {
        let standing = try Set(standing())
        let known = history.steps.map(\.version).max() ?? 0
        let order =
            try history.steps.isEmpty
            ? standing.sorted(by: >) : completed(history, newerThan: known, standing).order(of: standing)
        guard let pointer = try pointer(), pointer.version > known, standing.contains(pointer.version),
            try intactRecord(pointer.version)?.digest == pointer.digest
        else { return order }
        return [pointer.version] + order.filter { $0 != pointer.version }
    }

    /// The history with what the ledger does not say: what was published after its last entry, and what the records know of rollbacks.
    private func completed(
        _ history: ReleaseHistory, newerThan known: Int, _ standing: Set<Int>
    ) throws -> ReleaseHistory {
        var history = history
        history.steps += standing.filter { $0 > known }.sorted().map { ReleaseHistory.Step(version: $0) }
        for (place, step) in history.steps.enumerated() where !step.isSourceKnown && standing.contains(step.version) {
            history.steps[place].source = try intactRecord(step.version)?.record.rollbackOf
        }
        return history
    }

    /// nil where the record is damaged or gone.
    private func intactRecord(_ version: Int) throws -> Release? {
        do {
            return try readableRelease(version)
        } catch is ReleasesError {
            return nil
        }
    }
}
