internal import Files
package import Foundation
internal import WorkerProtocol

extension ReleaseStore {
    /// Deletes releases beyond the newest `keep` that were superseded more than `grace` ago and are not current: servers may
    /// open the files of a release minutes after they listed them. Each leaves `versions/` in one rename before its files go.
    /// Returns what was deleted.
    package func retire(keep: Int, grace: Duration, now: Date) throws -> [Int] {
        let current = try currentNumber()
        let releases = try releases()
        let limit = now.addingTimeInterval(-Double(grace.components.seconds))
        var retired: [Int] = []
        for (place, release) in releases.enumerated().dropLast(max(keep, 1)) where release.version != current {
            guard let superseded = Self.date(releases[place + 1].record.created), superseded <= limit else { continue }
            try throwAway(release.version)
            retired.append(release.version)
        }
        return retired
    }

    /// Reads ISO 8601 with or without fractions of a second.
    static func date(_ text: String) -> Date? {
        (try? Date(text, strategy: .iso8601))
            ?? (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }
}
