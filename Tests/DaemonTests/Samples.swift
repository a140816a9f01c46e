import Daemon
import Registry
import Tasks
import WorkerProtocol

/// Made-up drops and releases.
enum Samples {
    static func task(_ name: String, _ digest: String? = nil) -> AcceptedTask {
        AcceptedTask(
            source: TaskSource(
                name: name, directory: "/registry/tasks/\(name)", files: [], digest: digest ?? "digest-\(name)",
                settings: TaskSettings()),
            examples: 32)
    }

    static func base(_ digest: String = "base") -> AcceptedBase {
        AcceptedBase(
            source: BaseSource(directory: "/registry/base", files: [], digest: digest), headParameters: [],
            hasGraph: true)
    }

    static func snapshot(_ tasks: [AcceptedTask], base: AcceptedBase = base()) -> RegistrySnapshot {
        RegistrySnapshot(
            base: .accepted(base),
            tasks: Dictionary(uniqueKeysWithValues: tasks.map { ($0.source.name, .accepted($0)) }))
    }

    static func record(
        _ tasks: [AcceptedTask], base: AcceptedBase = base(), settings: MergeSettings = MergeSettings(),
        version: Int = 1
    ) -> ReleaseRecord {
        ReleaseRecord(
            version: version, created: "2026-01-01T00:00:00Z", merge: "m", settings: settings, base: base.source,
            tasks: tasks.map(\.source), result: MergeResult(tasks: []))
    }
}
