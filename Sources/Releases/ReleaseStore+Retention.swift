internal import Files
package import Foundation
internal import WorkerProtocol

extension ReleaseStore {
    /// Deletes the releases that `retirable` returns, and returns their numbers.
    package func retire(keep: Int, grace: Duration, now: Date) throws -> [Int] {
        let versions = try retirable(keep: keep, grace: grace, now: now)
        for version in versions { try retire(version) }
        return versions
    }

    /// Deletes a release that is neither current nor the candidate: one rename out of `versions/`, then its files.
    package func retire(_ version: Int) throws {
        if try currentNumber() != version, (try? candidateNumber()) != version { try throwAway(version) }
    }

    /// Returns releases older than the newest `keep` that were superseded more than `grace` ago (wall clock) and are
    /// neither current nor the candidate. The grace period is needed because servers open a release's
    /// files minutes after listing them.
    package func retirable(keep: Int, grace: Duration, now: Date) throws -> [Int] {
        let live = [try currentNumber(), try? candidateNumber()]
        let releases = try releases()
        let limit = now.addingTimeInterval(-Double(grace.components.seconds))
        var versions: [Int] = []
        for (place, release) in releases.enumerated().dropLast(max(keep, 1)) where !live.contains(release.version) {
            guard let superseded = Self.date(releases[place + 1].record.created), superseded <= limit else { continue }
            versions.append(release.version)
        }
        return versions
    }

    /// Parses ISO 8601 with or without fractional seconds.
    static func date(_ text: String) -> Date? {
        (try? Date(text, strategy: .iso8601))
            ?? (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }
}
