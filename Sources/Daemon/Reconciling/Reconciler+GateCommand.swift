import Files
import Ledger
import WorkerProtocol

/// What the team's own gate came to.
enum GateCommandOutcome: Sendable {
    case answered(GateRecord.Command)
    /// There is no answer, and why.
    case failed(String)
}

extension Reconciler {
    /// Asks the team's own gate about a candidate, in a task of its own.
    func askGateCommand(_ settings: GateCommandSettings, _ merge: RunningMerge, _ verdict: GateVerdict) {
        let name = merge.plan.merge
        let question = GateQuestion(merge.plan, new: merge.request.new, deployed: deployed?.directory, verdict)
        let (runner, scratch) = (parts.gateCommand, "\(configuration.state)/gate")
        running?.isAsking = true
        running?.task = Task {
            let outcome: GateCommandOutcome
            do throws(HookFailure) {
                outcome = .answered(try await runner.ask(settings, question, scratch: scratch))
            } catch {
                outcome = .failed(error.description)
            }
            guard running?.plan.merge == name else { return }
            running?.command = outcome
            bell.ring()
        }
    }

    /// Acts on the answer: goes on, refuses, or, where there is none, fails the merge, which is tried again later.
    func conclude(_ merge: RunningMerge, _ outcome: GateCommandOutcome, _ verdict: GateVerdict) async {
        switch outcome {
        case .failed(let reason):
            await discard(merge)
            running = nil
            await fail(merge.request, merge: merge.plan.merge, cause: "environment", reason)
        case .answered(let answer):
            var verdict = verdict
            verdict.command = answer
            guard answer.isAccepted else { return await refuse(merge, verdict) }
            running?.verdict = verdict
            keepInputs(of: merge)
        }
    }
}
