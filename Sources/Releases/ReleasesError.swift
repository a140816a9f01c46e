/// Why a release can't be created, found or trusted. I/O errors are `FilesError`.
package enum ReleasesError: Error, Hashable, Sendable {
    case unknownRelease(version: Int, deploy: String)
    case badRecord(path: String, reason: String)
    /// A path that is not a staging directory of this store, or a name that can't be one.
    case badStaging(path: String)
    /// The candidate does not match its record.
    case badCandidate(path: String, reason: String)
    /// A file of the base can't be passed on.
    case badBase(path: String, reason: String)
    /// A file of the base is no longer the one that was admitted.
    case baseChanged(path: String, reason: String)
    /// `current` was not made by this program.
    case badCurrent(path: String, reason: String)
    /// `current` leads to no release, and no release is intact.
    case nothingWhole(deploy: String, reason: String, damaged: [String])
}

extension ReleasesError: CustomStringConvertible {
    /// One line: what happened and what to do.
    package var description: String {
        switch self {
        case .unknownRelease(let version, let deploy):
            "\(deploy)/versions: no release \(version); choose one that is listed there"
        case .badRecord(let path, let reason):
            "\(path): not readable as a release: \(reason); restore it, or move the directory away"
        case .badStaging(let path):
            "\(path): not a staging directory of this deploy directory; use the one that was made for the merge"
        case .badCandidate(let path, let reason):
            "\(path): the candidate is not what its record says: \(reason); merge again"
        case .badBase(let path, let reason), .baseChanged(let path, let reason):
            "\(path): can't be part of a release: \(reason)"
        case .badCurrent(let path, let reason):
            "\(path): \(reason); move it away, so that the next start can set it up"
        case .nothingWhole(let deploy, let reason, let damaged):
            "\(deploy)/versions: \(reason), and no release there is whole: \(damaged.joined(separator: ", ")); put one "
                + "back from a backup, or move the damaged ones away to begin without a release"
        }
    }
}
