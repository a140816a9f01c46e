/// The content of `release.json`: what went in, what came out, and how well it does.
package struct ReleaseRecord: Codable, Hashable, Sendable {
    /// Number of the release; 0 in the output of `supermerge merge`, which publishes nothing.
    package var version: Int
    /// When it was made, ISO 8601 in UTC.
    package var created: String
    /// Name of the merge that made it.
    package var merge: String
    /// The release whose content this one repeats, for a rollback.
    package var rollbackOf: Int?
    package var settings: MergeSettings
    /// Version of the defaults that these were completed by; nil: 1. See `SettingsEncoding`.
    package var settingsVersion: Int?
    package var base: BaseSource
    /// Each task with the digests of its files, in the order of the coefficients.
    package var tasks: [TaskSource]
    package var result: MergeResult
    /// How far the ledger had got when the release was staged; nil where there is no ledger.
    package var ledger: LedgerHead?
    /// What the gate compared; nil where there was none, and in older files.
    package var gate: GateRecord?

    package init(
        version: Int, created: String, merge: String, rollbackOf: Int? = nil, settings: MergeSettings, base: BaseSource,
        tasks: [TaskSource], result: MergeResult, ledger: LedgerHead? = nil, gate: GateRecord? = nil
    ) {
        self.version = version
        self.created = created
        self.merge = merge
        self.rollbackOf = rollbackOf
        self.settings = settings
        settingsVersion = MergeSettings.encodingVersion
        self.base = base
        self.tasks = tasks
        self.result = result
        self.ledger = ledger
        self.gate = gate
    }
}

extension ReleaseRecord {
    /// What the weights were made by; `settings` is what was asked for.
    package var resolvedSettings: ResolvedSettings {
        ResolvedSettings(settings, form: result.form, strategy: result.strategy?.strategy)
    }
}
