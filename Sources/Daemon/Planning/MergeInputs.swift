import Files
package import WorkerProtocol

/// What decides the bytes of a merge: base, tasks and settings, by digest. Equal inputs need no second merge.
package struct MergeInputs: Hashable, Sendable {
    /// Digest of the base model's files.
    package var base: String
    /// Task name → digest of its files.
    package var tasks: [String: String]
    /// Without what only says how the machine is used: threads, device and memory.
    package var settings: MergeSettings

    package init(base: String, tasks: [String: String], settings: MergeSettings) {
        self.base = base
        self.tasks = tasks
        self.settings = settings
        self.settings.threads = 0
        self.settings.memory = 0
        self.settings.device = .cpu
    }

    package init(record: ReleaseRecord) {
        self.init(
            base: record.base.digest,
            tasks: Dictionary(record.tasks.map { ($0.name, $0.digest) }) { first, _ in first },
            settings: record.settings)
    }

    /// The same base and settings with these tasks.
    func with(_ tasks: [String: TaskSource]) -> MergeInputs {
        var inputs = self
        inputs.tasks = tasks.mapValues(\.digest)
        return inputs
    }

    /// Over base and settings: what a task is judged against.
    package var context: String { Self.digest(["base", base, "settings", settingsText]) }

    /// Over everything.
    package var fingerprint: String {
        Self.digest(
            ["base", base, "settings", settingsText] + tasks.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] })
    }

    /// The name of the merge onto a deployed release: 12 hexadecimal digits, the same for the same inputs.
    package func mergeName(deployed: Int?) -> String {
        String(Self.digest([fingerprint, "deployed", deployed.map(String.init) ?? "none"]).prefix(12))
    }

    private var settingsText: String {
        (try? JSON.encode(settings)).map { String(decoding: $0, as: UTF8.self) } ?? "\(settings)"
    }

    private static func digest(_ parts: [String]) -> String {
        Digest.sha256(Array(parts.joined(separator: "\u{0}").utf8))
    }
}
