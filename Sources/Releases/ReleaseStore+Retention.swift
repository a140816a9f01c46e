internal import Files
package import Foundation
internal import WorkerProtocol

extension ReleaseStore {
    /// Deletes what `retirable` names and returns it.
    package func retire(keep: Int, grace: Duration, now: Date) throws -> [Int] {
        let versions = try retirable(keep: keep, grace: grace, now: now)
        for version in versions { try retire(version) }
        return versions
    }

    /// Deletes a release that is not current. It leaves `versions/` in one rename before its files go.
    package func retire(_ version: Int) throws {
        if try currentNumber() != version { try throwAway(version) }
    }

    /// Releases beyond the newest `keep` that were superseded more than `grace` ago by the wall clock and are not current: servers
    /// may open the files of a release minutes after they listed them.
    package func retirable(keep: Int, grace: Duration, now: Date) throws -> [Int] {
        let current = try currentNumber()
        let releases = try releases()
        let limit = now.addingTimeInterval(-Double(grace.components.seconds))
        var versions: [Int] = []
        for (place, release) in releases.enumerated().dropLast(max(keep, 1)) where release.version != current {
            guard let superseded = Self.date(releases[place + 1].record.created), superseded <= limit else { continue }
            versions.append(release.version)
        }
        return versions
    }

    /// Reads ISO 8601 with or without fractions of a second.
    static func date(_ text: String) -> Date? {
        (try? Date(text, strategy: .iso8601))
            ?? (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }
}
