package import Ledger
package import WorkerProtocol

/// What was learned by trying and must survive a restart. It is rebuilt by replaying the ledger: nothing else changes
/// it.
package struct PlannerMemory: Hashable, Sendable {
    /// A task that is left out until its content, the base or the settings change, or an operator says `retry`.
    package struct SetAside: Hashable, Sendable {
        package var digest: String
        package var context: String
        /// `gate`, `worker`, `failures` or `rollout`.
        package var cause: String
        package var message: String
    }

    package var setAside: [String: SetAside] = [:]
    /// Task → digest of those that were in a refused merge of several new tasks: they are tried one at a time.
    package var retryIndividually: [String: String] = [:]
    /// Fingerprints of inputs that were refused, or failed again and again, without a new task to blame; and the
    /// sentence for people.
    package var refusedInputs: [String: String] = [:]
    /// Context that no worker can use, and why.
    package var blocked: (context: String, message: String)? {
        get { blockedContext.map { ($0, blockedMessage) } }
        set { (blockedContext, blockedMessage) = (newValue?.context, newValue?.message ?? "") }
    }
    /// What stood in the registry when the operator rolled back.
    package var held: HeldContent?
    package var isPaused = false
    /// Failures in a row, by fingerprint of the inputs.
    package var failures: [String: Int] = [:]
    /// What the ledger says of the releases.
    package internal(set) var releases = RecordedReleases()
    /// Whether the ledger says that something was signed.
    package var hasSigned = false
    /// Hook → the release for which it has succeeded last.
    package var hooksDone: [String: Int] = [:]
    /// Hook → target → the release that this server has confirmed last.
    package var hookTargets: [String: [String: Int]] = [:]
    /// The release on trial.
    package internal(set) var rollout: RecordedRollout?
    /// What the ledger last said of each folder, by its key in `RegistryChanges`.
    package var announced: [String: String] = [:]

    private var blockedContext: String?
    private var blockedMessage = ""

    package init() {}

    /// Whether something without a task to its name is held back, which an operator may want to be tried again.
    package var hasFailed: Bool { !refusedInputs.isEmpty || !failures.isEmpty || blocked != nil || held != nil }

    /// What the ledger last said is accepted, to be held by a rollback; nil without a base. It needs no scan of the
    /// registry.
    package func announcedContent(_ settings: MergeSettings) -> HeldContent? {
        guard let base = announcedDigest("base") else { return nil }
        var tasks: [String: String] = [:]
        for key in announced.keys where key.hasPrefix("task ") {
            tasks[String(key.dropFirst(5))] = announcedDigest(key)
        }
        return HeldContent(context: MergeInputs(base: base, tasks: [:], settings: settings).context, tasks: tasks)
    }

    private func announcedDigest(_ key: String) -> String? {
        guard let state = announced[key], state.hasPrefix("accepted ") else { return nil }
        return String(state.dropFirst("accepted ".count))
    }

    /// Whether a task with this content is left out, and why. `contexts`: what base and settings are known by.
    package func setAside(_ task: String, digest: String, contexts: [String]) -> SetAside? {
        setAside[task].flatMap { $0.digest == digest && contexts.contains($0.context) ? $0 : nil }
    }

    /// What the ledger calls these inputs: the fingerprint by which they were refused or failed, of an older version
    /// where that is so; else the present one.
    func name(of inputs: MergeInputs) -> String {
        let known = inputs.fingerprints.first { refusedInputs[$0] != nil || failures[$0] != nil }
        return known ?? inputs.fingerprint
    }
}
