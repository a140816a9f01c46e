internal import Files
internal import Foundation

extension ReleaseStore {
    /// Makes the layout, throws staging leftovers away, and makes `CURRENT.json` agree with `current` after a crash between
    /// the two. A release that never went live is deleted; a `current` that is missing, or that points at nothing or at a damaged
    /// record, is pointed at a whole release, which one `history` decides. Throws where the directory can't be written, where `current` is something that this
    /// program did not make, or where releases stand and none of them is whole.
    package func repair(history: ReleaseHistory = ReleaseHistory()) throws -> Repair {
        try Durable.createDirectories(deploy)
        try Durable.createDirectories(versions)
        try Durable.createDirectories(stagings)
        for leftover in try Durable.list(deploy) where leftover.hasPrefix(".") && leftover.hasSuffix(".tmp") {
            try Durable.remove("\(deploy)/\(leftover)")
        }
        try settlePending()
        for leftover in try Durable.list(stagings) { try Durable.remove("\(stagings)/\(leftover)") }
        // Also the proof that the directory can be written.
        try write(numbers())
        try Durable.syncDirectory(deploy)
        let repair = try repairCurrent(history)
        try agreePointer(with: repair.release)
        for release in try releases() { try ReleaseContents.makeReadOnly(release.directory) }
        return repair
    }

    /// As `repair()`; gives the deployed release alone.
    package func recover() throws -> Release? { try repair().release }

    /// A new empty directory for a candidate, outside `versions/` and on the same file system. What an earlier attempt at the
    /// same merge left there is thrown away.
    package func makeStaging(merge: String) throws -> String {
        let path = "\(stagings)/\(merge)"
        guard Self.isStagingName(merge) else { throw ReleasesError.badStaging(path: path) }
        try Durable.createDirectories(stagings)
        try Durable.remove(path)
        try Durable.createDirectories(path)
        return path
    }

    /// Deletes a staging directory; a missing one is fine.
    package func discardStaging(_ path: String) throws {
        try Durable.remove(ownStaging(path))
    }

    /// `path`, checked to be a staging directory of ours, without a slash at its end.
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
