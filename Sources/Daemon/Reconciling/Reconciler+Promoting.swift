package import Control
import Files
import Ledger

extension Reconciler {
    /// Makes the candidate what is deployed, whatever its check says.
    package func promote(_ version: Int) async -> ActionReply {
        await decideTrial(of: version) { await $0.promoteTrial("by the operator", $1) }
    }

    /// Takes the candidate away, or deploys again what was deployed before a release that is watched.
    package func reject(_ version: Int) async -> ActionReply {
        await decideTrial(of: version) { await $0.takeBack("by the operator", $1) }
    }

    /// An operator's word on the trial; `decide` gets what the ledger says of the caller.
    private func decideTrial(
        of version: Int,
        _ decide: @escaping @Sendable (isolated Reconciler, [String: JSONValue]) async -> ActionReply
    ) async -> ActionReply {
        let caller = PeerCredentials.details
        return await command { reconciler in
            guard let recorded = reconciler.memory.rollout, recorded.version == version else {
                return reconciler.reply(.failed, reconciler.notOnTrial(version))
            }
            return await decide(reconciler, caller)
        }
    }

    private func notOnTrial(_ version: Int) -> String {
        if let recorded = memory.rollout {
            return "release \(version) is not on trial: release \(recorded.version) is"
        }
        let advice = deployed?.version == version ? "; it is deployed" : ""
        return "release \(version) is not on trial: no release is\(advice)"
    }

    /// The trial, for the status.
    func rolloutStatus() -> DaemonStatus.Rollout? {
        guard let recorded = memory.rollout, let trial else { return nil }
        let (settings, rollout) = (configuration.rollout, trial.state)
        var state = DaemonStatus.Rollout.State.checking
        if rollout.failure != nil {
            state = .failing
        } else if rollout.silence != nil {
            state = .silent
        } else if rollout.phase == .starting {
            state = .starting
        } else if settings.isByHand {
            state = .byHand
        }
        var status = DaemonStatus.Rollout(
            version: recorded.version, kind: recorded.kind.rawValue, state: state, message: rollout.message,
            heldSeconds: rollout.heldFor / .seconds(1), windowSeconds: settings.window / .seconds(1),
            previous: recorded.previous)
        if !trial.targets.isEmpty { status.targets = trial.targets }
        return status
    }

    /// One sentence about the trial.
    var trialLine: String? {
        guard let recorded = memory.rollout, let trial else { return nil }
        let role = recorded.kind == .canary ? "the candidate" : "deployed and watched"
        return "release \(recorded.version) is \(role): \(trial.state.message)"
    }
}
