import Files
package import WorkerProtocol

/// What decides the bytes of a merge: base, tasks and settings, by digest. Equal inputs need no second merge.
///
/// A digest is `VERSION:SHA-256`, of version 1 the SHA-256 alone: see `SettingsEncoding`. Only the present version is
/// written; `contexts` and `fingerprints` also have those by which older versions of the program knew the same inputs.
package struct MergeInputs: Hashable, Sendable {
    /// Digest of the base model's files.
    package var base: String
    /// Task name → digest of its files.
    package var tasks: [String: String]
    /// Without what only says how the machine is used: threads, device and memory.
    package var settings: MergeSettings
    /// Of the encoding whose defaults the settings were completed by.
    private let version: Int

    package init(base: String, tasks: [String: String], settings: MergeSettings) {
        self.init(base: base, tasks: tasks, settings: settings, version: MergeSettings.encodingVersion)
    }

    package init(record: ReleaseRecord) {
        self.init(
            base: record.base.digest,
            tasks: Dictionary(record.tasks.map { ($0.name, $0.digest) }) { first, _ in first },
            settings: record.settings, version: record.settingsVersion ?? 1)
    }

    private init(base: String, tasks: [String: String], settings: MergeSettings, version: Int) {
        (self.base, self.tasks, self.settings, self.version) = (base, tasks, settings.withoutMachine, version)
    }

    /// The same base and settings with these tasks.
    func with(_ tasks: [String: TaskSource]) -> MergeInputs {
        var inputs = self
        inputs.tasks = tasks.mapValues(\.digest)
        return inputs
    }

    /// Over base and settings: what a task is judged against.
    package var context: String { digest(over: [], encoding) }

    /// Over everything.
    package var fingerprint: String { digest(over: taskParts, encoding) }

    /// `context`, and what it was called before.
    package var contexts: [String] { settings.encodings.map { digest(over: [], $0) } }

    /// `fingerprint`, and what it was called before.
    package var fingerprints: [String] { settings.encodings.map { digest(over: taskParts, $0) } }

    /// Whether base and settings are those that another merge was made by. An older version's defaults count as
    /// today's: an upgrade alone starts no merge.
    package func hasContext(of former: MergeInputs) -> Bool {
        base == former.base && (settings == former.settings || settings.encodings.contains(former.encoding))
    }

    /// Likewise with the same tasks.
    package func equals(_ former: MergeInputs) -> Bool { tasks == former.tasks && hasContext(of: former) }

    /// The name of the merge onto a deployed release: 12 hexadecimal digits, the same for the same inputs.
    package func mergeName(deployed: Int?) -> String {
        String(Digest.sha256(joined: [fingerprint, "deployed", deployed.map(String.init) ?? "none"]).prefix(12))
    }

    private var encoding: SettingsEncoding { settings.encoding(version: version) }

    private var taskParts: [String] { tasks.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] } }

    private func digest(over parts: [String], _ encoding: SettingsEncoding) -> String {
        let digest = Digest.sha256(joined: ["base", base, "settings", encoding.text] + parts)
        return encoding.version == 1 ? digest : "\(encoding.version):\(digest)"
    }
}

extension Digest {
    fileprivate static func sha256(joined parts: [String]) -> String {
        sha256(Array(parts.joined(separator: "\u{0}").utf8))
    }
}
