internal import Files
internal import Foundation

extension ReleaseStore {
    /// Repairs the deploy directory after a crash: creates the layout, deletes staging directories and releases that
    /// were never deployed, and makes `CURRENT.json` agree with `current`.
    ///
    /// A `current` that is missing, dangling or leads to a damaged record is pointed at an intact release; `history`
    /// decides which. Throws if the directory is not writable, if `current` was not made by this program, or if no
    /// release is intact.
    package func repair(history: ReleaseHistory = ReleaseHistory()) throws -> Repair {
        try Durable.createDirectories(deploy)
        try Durable.createDirectories(versions)
        try Durable.createDirectories(stagings)
        for leftover in try Durable.list(deploy) where leftover.hasPrefix(".") && leftover.hasSuffix(".tmp") {
            try Durable.remove("\(deploy)/\(leftover)")
        }
        try settlePending()
        for leftover in try Durable.list(stagings) { try Durable.remove("\(stagings)/\(leftover)") }
        // Also checks that the directory is writable.
        try write(numbers())
        try Durable.syncDirectory(deploy)
        var repair = try repairCurrent(history)
        try agreePointer(with: repair.release)
        repair.candidate = try repairCandidate(deployed: repair.release)
        for release in try releases() { try ReleaseContents.makeReadOnly(release.directory) }
        return repair
    }

    /// Calls `repair()` and returns the deployed release.
    package func recover() throws -> Release? { try repair().release }

    /// Creates an empty staging directory for a candidate, outside `versions/` on the same file system. Deletes the one
    /// of an earlier attempt at the same merge.
    package func makeStaging(merge: String) throws -> String {
        let path = "\(stagings)/\(merge)"
        guard Self.isStagingName(merge) else { throw ReleasesError.badStaging(path: path) }
        try Durable.createDirectories(stagings)
        try Durable.remove(path)
        try Durable.createDirectories(path)
        return path
    }

    /// Deletes a staging directory, if it exists.
    package func discardStaging(_ path: String) throws {
        try Durable.remove(ownStaging(path))
    }

    /// Returns `path` without its trailing slash. Throws if it is not a staging directory of this store.
    func ownStaging(_ path: String) throws -> String {
        var path = path
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard path.hasPrefix(stagings + "/"), Self.isStagingName(path.dropFirst(stagings.count + 1)) else {
            throw ReleasesError.badStaging(path: path)
        }
        return path
    }

    private static func isStagingName(_ name: some StringProtocol) -> Bool {
        !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 200
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
