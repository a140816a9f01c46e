internal import Files
internal import WorkerProtocol

extension ReleaseStore {
    /// The result of checking `current` at a start.
    package struct Repair: Hashable, Sendable {
        /// The deployed release; nil if there is none.
        package var release: Release?
        /// The release that `candidate` points at; nil if there is none.
        package var candidate: Release?
        /// Why `current` was changed; nil if it was left as it was.
        package var reason: String?
    }

    /// Keeps a `current` that leads to a readable record. Otherwise points it at the release that `CURRENT.json` names,
    /// if that is intact and has the recorded digest, or at the first intact release in the history's order (without a
    /// history: the newest). Removes it if there are no releases.
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

    /// Returns the release to fall back to, and the damaged ones before it with the names of their damaged files.
    ///
    /// Reads every file of each release it tries. Throws on an I/O error, so that a disk that fails temporarily does
    /// not deploy an older release.
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

    /// Existing releases in fallback order. `CURRENT.json` names the last deployed one, unless the ledger has a later
    /// entry.
    private func fallbacks(_ history: ReleaseHistory) throws -> [Int] {
        let standing = try Set(standing()).subtracting(history.undeployed)
            .subtracting([try? candidateNumber()].compactMap { $0 ?? nil })
        let known = history.steps.map(\.version).max() ?? 0
        let order =
            try history.steps.isEmpty
            ? standing.sorted(by: >) : completed(history, newerThan: known, standing).order(of: standing)
        guard let pointer = try pointer(), pointer.version > known, standing.contains(pointer.version),
            try intactRecord(pointer.version)?.digest == pointer.digest
        else { return order }
        return [pointer.version] + order.filter { $0 != pointer.version }
    }

    /// The history completed from the records: releases published after the ledger's last entry, and sources of
    /// rollbacks.
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

    /// Returns nil if the record is damaged or missing.
    private func intactRecord(_ version: Int) throws -> Release? {
        do {
            return try readableRelease(version)
        } catch is ReleasesError {
            return nil
        }
    }
}
