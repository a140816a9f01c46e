internal import Files
internal import Foundation
internal import WorkerProtocol

/// The candidate: a release that stands in `versions/` and that `candidate` points at, beside a `current` that does not
/// follow before it is promoted.
extension ReleaseStore {
    /// The release that `candidate` points at; nil where there is none.
    package func candidate() throws -> Release? {
        guard let version = try candidateNumber() else { return nil }
        return try release(version)
    }

    /// The number that `candidate` points at, whether or not that release exists.
    package func candidateNumber() throws -> Int? { try number(ofLink: candidateLink) }

    /// Makes the candidate what is deployed: `current` is switched by rename, then `CURRENT.json`, then `candidate` is
    /// removed. On an error before the switch nothing has changed; errors after it are reported to `onTrouble`, and
    /// `repair` completes the rest.
    ///
    /// Throws `ReleasesError.unknownRelease` where `version` is not the candidate.
    package func promoteCandidate(_ version: Int) throws -> Release {
        guard try candidateNumber() == version else {
            throw ReleasesError.unknownRelease(version: version, deploy: deploy)
        }
        let release = try release(version)
        let pointer = try preparePointer(to: release)
        do {
            try pointLink(at: version)
        } catch {
            guard (try? currentNumber()) == version else {
                try? Durable.remove(pointer)
                throw error
            }
            onTrouble(error)
        }
        do {
            try Durable.rename(pointer, to: pointerFile)
            try dropCandidate()
        } catch {
            onTrouble(error)
        }
        return release
    }

    /// Removes the link; the release stays in `versions/` until it is retired.
    package func dropCandidate() throws {
        try Durable.remove(candidateLink)
        try Durable.syncDirectory(deploy)
    }

    /// Points `candidate` at a release, over whatever stood there.
    func pointCandidate(at version: Int) throws {
        try Durable.pointLink(candidateLink, at: "versions/\(version)")
    }

    /// Removes a link that leads to no readable release, or to the one that is deployed; gives the candidate.
    func repairCandidate(deployed: Release?) throws -> Release? {
        guard try FileStatus.ifPresent(candidateLink) != nil else { return nil }
        do {
            if let version = try candidateNumber(), version != deployed?.version {
                return try readableRelease(version)
            }
        } catch is ReleasesError {
            // It led nowhere.
        }
        try dropCandidate()
        return nil
    }
}
