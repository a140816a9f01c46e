import Control
import Files
import Foundation
import Ledger
import Releases

extension Reconciler {
    /// The release on trial; nil where none is.
    var onTrial: Release? {
        guard let recorded = memory.rollout else { return nil }
        let release = recorded.kind == .canary ? candidate : deployed
        return release?.version == recorded.version ? release : nil
    }

    /// Begins the trial that the memory knows of, and its window, anew.
    func beginTrial() {
        trial?.check?.cancel()
        trial = onTrial.map { RunningTrial(version: $0.version) }
        // Where no hook runs that would ring.
        bell.ring()
    }

    /// As `beginTrial`, after a pause: a change of the deploy directory has failed, and the disk may do better later.
    private func retryTrial() {
        beginTrial()
        trial?.retryAt = .now + max(configuration.rollout.interval, .seconds(1))
    }

    /// Ends the trial without a decision of its own.
    func endTrial() {
        trial?.check?.cancel()
        trial = nil
    }

    /// Tells the trial what has happened, and does what it says.
    func driveTrial() async {
        guard !isStopping, trial?.isDue(.now) == true else { return }
        if let failure = memory.rollout?.failure, configuration.rollout.onFailure == .rollback {
            await takeBack("the check failed: \(failure)")
            return
        }
        let actions = trial?.proceed(at: .now, hooks: trialHooks, configuration.rollout) ?? []
        for action in actions { await perform(action) }
    }

    private func perform(_ action: RolloutState.Action) async {
        switch action {
        case .ask: ask()
        case .report(let message):
            parts.logger.warning(
                "a release on trial is held", metadata: ["version": "\(trial?.version ?? 0)", "reason": "\(message)"])
        case .recordFailure(let answer): await recordFailure(answer)
        case .promote(let reason): _ = await promoteTrial(reason)
        case .takeBack(let reason): await takeBack(reason)
        }
    }

    private func ask() {
        guard let release = onTrial, let check = configuration.rollout.check else { return }
        let (checker, timeout) = (parts.checker, configuration.rollout.timeout)
        let values = trialValues("rollout.check", release)
        trial?.check = Task {
            let report = await checker.ask(check, values, timeout: timeout)
            guard !Task.isCancelled, trial?.version == release.version else { return }
            trial?.note(report)
            bell.ring()
        }
    }

    private func recordFailure(_ answer: String) async {
        guard let recorded = memory.rollout else { return }
        await record(
            LedgerEvent(
                .checkFailed, version: recorded.version,
                message: "the check of release \(recorded.version) failed: \(answer)",
                details: [
                    "answer": .string(answer), "taken-back": .bool(configuration.rollout.onFailure == .rollback),
                ]))
    }

    /// Ends the trial well: the candidate is deployed, or what is deployed is no longer watched.
    func promoteTrial(_ reason: String, _ caller: [String: JSONValue] = [:]) async -> ActionReply {
        guard let recorded = memory.rollout, let release = onTrial else {
            return reply(.failed, "no release is on trial")
        }
        if recorded.kind == .canary {
            let store = signingStore
            do {
                deployed = try await heartbeat.during {
                    try await BlockingIO.run { try store.promoteCandidate(release.version) }
                }
            } catch {
                retryTrial()
                parts.logger.error("the candidate can't be promoted", metadata: ["reason": "\(error)"])
                return reply(.failed, "release \(release.version) can't be promoted: \(error)")
            }
            candidate = nil
            cancel("release \(release.version) was promoted")
            await findKept()
        }
        endTrial()
        var details = publicationDetails(release, verdict: nil)
        for key in ["gate", "scores", "new", "without-new"] { details[key] = recorded.details[key] ?? details[key] }
        details["kind"] = .string(recorded.kind.rawValue)
        details["reason"] = .string(reason)
        details.merge(caller) { $1 }
        let what = recorded.kind == .canary ? "promoted" : "is no longer on trial"
        let message = "release \(release.version) \(what): \(reason)"
        await record(
            LedgerEvent(
                .promoted, version: release.version, merge: release.record.merge, message: message, details: details))
        await noteCheckpoint()
        await startHooks()
        await retire()
        wakeUrgently()
        return reply(.done, message)
    }

    /// Ends the trial badly: a candidate is rejected, a deployed release is rolled back.
    @discardableResult
    func takeBack(_ reason: String, _ caller: [String: JSONValue] = [:]) async -> ActionReply {
        guard let recorded = memory.rollout else {
            endTrial()
            return reply(.failed, "no release is on trial")
        }
        guard recorded.kind == .watch else { return await rejectCandidate(recorded, reason, caller) }
        guard let previous = recorded.previous else {
            return reply(.failed, "release \(recorded.version) is the first: there is none to go back to")
        }
        let answer = await performRollback(previous, caller, of: recorded, because: reason)
        if answer.outcome != .done { retryTrial() }
        return answer
    }

    /// `isBlamed`: whether what was new in it is held back.
    func rejectCandidate(
        _ recorded: RecordedRollout, _ reason: String, _ caller: [String: JSONValue], isBlamed: Bool = true
    ) async -> ActionReply {
        let store = parts.store
        do {
            try await BlockingIO.run { try store.dropCandidate() }
        } catch {
            retryTrial()
            parts.logger.error("the candidate can't be rejected", metadata: ["reason": "\(error)"])
            return reply(.failed, "release \(recorded.version) can't be rejected: \(error)")
        }
        candidate = nil
        endTrial()
        cancel("release \(recorded.version) was rejected")
        await recordRejection(recorded, reason, caller, isBlamed: isBlamed)
        await startHooks()
        await retire()
        wakeUrgently()
        return reply(.done, "release \(recorded.version) rejected: \(reason)")
    }

    /// A newer candidate has taken the link: nothing is held against the one before.
    func replaceCandidate(by release: Release) async {
        let former = memory.rollout
        candidate = release
        guard let former, former.kind == .canary else { return }
        await recordRejection(former, "release \(release.version) took its place", [:], isBlamed: false)
    }

    func recordRejection(
        _ recorded: RecordedRollout, _ reason: String, _ caller: [String: JSONValue], isBlamed: Bool
    ) async {
        let new = recorded.new
        if isBlamed { refusals.note(mergeOf: new) }
        var details = recorded.details.filter { RecordedRollout.inputKeys.contains($0.key) }
        details["reason"] = .string(reason)
        details["blamed"] = .bool(isBlamed)
        details.merge(caller) { $1 }
        await record(
            LedgerEvent(
                .rejected, task: new.count == 1 ? new[0] : nil, version: recorded.version,
                message: "release \(recorded.version) rejected: \(reason)", details: details))
    }

    /// What a hook or a check is told of a release.
    func trialValues(_ name: String, _ release: Release) -> HookValues {
        let previous =
            release.version == candidate?.version
            ? deployed?.version
            : (try? parts.store.standing())?
                .filter { $0 < release.version && !memory.releases.undeployed.contains($0) }.max()
        let link = release.version == candidate?.version ? "candidate" : "current"
        return HookValues(name, release, deploy: configuration.deploy, link: link, previous: previous)
    }
}
