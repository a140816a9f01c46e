internal import Files

extension ReleaseStore {
    /// What a start found of `current`, and made of it.
    package struct Repair: Hashable, Sendable {
        /// The deployed release; nil where none stands.
        package var release: Release?
        /// What was wrong with `current`, where it was pointed at a release or taken away; nil where it was left as it was.
        package var reason: String?
    }

    /// Leaves a `current` alone that leads to a readable record; else points it at the release that `CURRENT.json` names, where
    /// that is whole and has the digest that stands there, or at the newest that is whole. Takes it away where none stands.
    func repairCurrent() throws -> Repair {
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
        let (whole, damaged) = try firstWhole()
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
    private func firstWhole() throws -> (whole: Release?, damaged: [String]) {
        var damaged: [String] = []
        for version in try fallbacks() {
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

    /// What stands: first what was live last, then the newest.
    private func fallbacks() throws -> [Int] {
        let newest = try standing().sorted(by: >)
        guard let pointer = readPointer(), newest.contains(pointer.version),
            (try? release(pointer.version))?.digest == pointer.digest
        else { return newest }
        return [pointer.version] + newest.filter { $0 != pointer.version }
    }
}
