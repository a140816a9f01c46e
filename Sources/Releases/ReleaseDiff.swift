package import WorkerProtocol

/// What differs between two releases, from their records. `docs/json.md` documents it.
package struct ReleaseDiff: Codable, Hashable, Sendable {
    package struct Task: Codable, Hashable, Sendable {
        package enum Change: String, Codable, Sendable { case added, removed, changed, same }
        package var task: String
        package var change: Change
        /// Name of the metric, where it was scored; the scores are those that each release was published with.
        package var metric: String?
        package var before: Double?
        package var after: Double?
    }

    /// A coefficient of a task that both releases have, in a layer that both have.
    package struct Coefficient: Codable, Hashable, Sendable {
        package var layer: String
        package var task: String
        package var before: Double
        package var after: Double
    }

    package struct File: Codable, Hashable, Sendable {
        package enum Change: String, Codable, Sendable { case added, removed, changed }
        package var name: String
        package var change: Change
        package var bytesBefore: Int64?
        package var bytesAfter: Int64?
    }

    package var before: Int
    package var after: Int
    package var isBaseChanged: Bool
    /// Names of the settings that differ, as the configuration has them.
    package var settings: [String]
    /// Sorted by name.
    package var tasks: [Task]
    /// Those that moved most, the furthest first.
    package var coefficients: [Coefficient]
    /// Sorted by name; release.json is never among them.
    package var files: [File]

    /// `most`: coefficients to name.
    package init(from old: ReleaseRecord, to new: ReleaseRecord, most: Int = 20) {
        before = old.version
        after = new.version
        isBaseChanged = old.base.digest != new.base.digest
        settings = Self.settings(old.settings, new.settings)
        tasks = Self.tasks(old, new)
        coefficients = Self.coefficients(old, new, most: most)
        files = Self.files(old.result.outputs, new.result.outputs)
    }

    private static func settings(_ old: MergeSettings, _ new: MergeSettings) -> [String] {
        let (old, new) = (old.named, new.named)
        return Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted()
    }

    private static func tasks(_ old: ReleaseRecord, _ new: ReleaseRecord) -> [Task] {
        let digests = [old, new].map { Dictionary($0.tasks.map { ($0.name, $0.digest) }) { first, _ in first } }
        let scores = [old, new].map { record in
            Dictionary(record.result.tasks.map { ($0.task, $0.merged) }) { first, _ in first }
        }
        return Set(digests[0].keys).union(digests[1].keys).sorted().map { name in
            let change: Task.Change =
                switch (digests[0][name], digests[1][name]) {
                case (nil, _): .added
                case (_, nil): .removed
                case let (before, after): before == after ? .same : .changed
                }
            let (before, after) = (scores[0][name] ?? nil, scores[1][name] ?? nil)
            return Task(
                task: name, change: change, metric: (after ?? before)?.metric, before: before?.value,
                after: after?.value)
        }
    }

    private static func coefficients(_ old: ReleaseRecord, _ new: ReleaseRecord, most: Int) -> [Coefficient] {
        let places = Dictionary(old.tasks.enumerated().map { ($1.name, $0) }) { first, _ in first }
        var moved: [Coefficient] = []
        for (layer, after) in new.result.coefficients {
            guard let before = old.result.coefficients[layer] else { continue }
            for (place, task) in new.tasks.enumerated() {
                guard let former = places[task.name], before.indices.contains(former), after.indices.contains(place),
                    before[former].isFinite, after[place].isFinite, before[former] != after[place]
                else { continue }
                moved.append(
                    Coefficient(layer: layer, task: task.name, before: before[former], after: after[place]))
            }
        }
        let sorted = moved.sorted {
            let (first, second) = (abs($0.after - $0.before), abs($1.after - $1.before))
            return first == second ? ($0.layer, $0.task) < ($1.layer, $1.task) : first > second
        }
        return Array(sorted.prefix(max(0, most)))
    }

    private static func files(_ old: [SourceFile], _ new: [SourceFile]) -> [File] {
        let (old, new) = (named(old), named(new))
        return Set(old.keys).union(new.keys).sorted().compactMap { name in
            let (before, after) = (old[name], new[name])
            if before?.sha256 == after?.sha256 { return nil }
            return File(
                name: name, change: before == nil ? .added : after == nil ? .removed : .changed,
                bytesBefore: before?.bytes, bytesAfter: after?.bytes)
        }
    }

    private static func named(_ files: [SourceFile]) -> [String: SourceFile] {
        Dictionary(files.map { ($0.name, $0) }) { first, _ in first }
    }
}
