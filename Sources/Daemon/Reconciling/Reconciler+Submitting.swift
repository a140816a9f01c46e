package import Control
import Files
import Ledger
import Tasks

extension Reconciler {
    /// Notes who put a task's folder into the registry, and looks at it. `digest`: of the content, as the sender says.
    package func noteSubmission(_ task: String, digest: String?) async -> ActionReply {
        var details = PeerCredentials.details
        details["digest"] = digest.map { .string($0) }
        return await note(.submitted, task, "task \(task) submitted", details)
    }

    /// Notes who took a task's folder out of the registry, and looks at the rest.
    package func noteWithdrawal(_ task: String) async -> ActionReply {
        await note(.withdrawn, task, "task \(task) withdrawn", PeerCredentials.details)
    }

    private func note(
        _ kind: LedgerEvent.Kind, _ task: String, _ message: String, _ details: [String: JSONValue]
    ) async -> ActionReply {
        guard UploadRules.isTaskName(task) else {
            return reply(.failed, "'\(task)' is no name of a task: expected \(UploadRules.taskNameForm)")
        }
        return await command { reconciler in
            await reconciler.record(LedgerEvent(kind, task: task, message: message, details: details))
            reconciler.wakeUrgently()
            return reconciler.reply(.done, message)
        }
    }
}
