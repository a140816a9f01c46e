/// What is done after each publish, so that a server takes the new release. `docs/recipes.md` has examples.
package struct Hook: Hashable, Sendable {
    /// Name in the ledger, the status and the metrics.
    package var name: String
    /// Nil where somebody else does the work and only the check is wanted.
    package var call: HookCall?
    /// How to find out that the server really has the release; without it a call that succeeds is believed.
    package var check: HookCheck?
    /// A call after the check has succeeded, for example to unload the release before; its failure is only mentioned.
    /// Not made where it names `{previous}` and there is none.
    package var then: HookCall?
    package enum Stage: String, CaseIterable, Hashable, Sendable {
        /// For what is deployed.
        case release
        /// For the candidate, and while there is none for what is deployed.
        case canary
    }

    /// Which release it is about.
    package var stage = Stage.release
    /// Servers that are called one by one, each in place of `{target}`; nil: one call.
    package var targets: HookTargets?
    /// How many of the targets must confirm the release.
    package var require = HookTargets.Requirement.all
    /// Time that the call may take.
    package var timeout = Duration.seconds(60)
    /// Further attempts after the first.
    package var retries = 5
    /// Pause after the first failed attempt, doubled after each, five minutes at most.
    package var backOff = Duration.seconds(1)

    package init(_ name: String, call: HookCall? = nil, check: HookCheck? = nil) {
        self.name = name
        self.call = call
        self.check = check
    }
}

/// A question that is asked again and again until the answer is the one expected.
package struct HookCheck: Hashable, Sendable {
    package var call: HookCall
    /// Time that the server has until the answer must be right.
    package var within = Duration.seconds(60)

    package init(_ call: HookCall) { self.call = call }
}
