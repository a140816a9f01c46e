import Ledger
import Registry
import Tasks
import WorkerProtocol

extension Reconciler {
    /// Copies the files of a candidate's tasks, so that each task of the release that it becomes can be merged again.
    func keepInputs(of merge: RunningMerge) {
        let name = merge.plan.merge
        let tasks = merge.request.tasks
        running?.task = Task {
            let outcome = await keep(tasks)
            guard running?.plan.merge == name else { return }
            running?.keeping = outcome
            bell.ring()
        }
    }

    /// Copies files of deployed tasks that an earlier attempt could not keep, from the registry, where they are still
    /// there.
    func keepMissing() {
        guard running == nil, keepingTask == nil, let deployed, let snapshot else { return }
        let missing = deployed.record.tasks.compactMap { task -> TaskSource? in
            guard kept[task.name] == nil, case .accepted(let now) = snapshot.tasks[task.name] else { return nil }
            return now.source.digest == task.digest ? now.source : nil
        }
        guard !missing.isEmpty else { return }
        keepingTask = Task {
            if case .failed(let reason) = await keep(missing) { warnNotKept(reason) }
            keepingTask = nil
            await findKept()
            bell.ring()
        }
    }

    private func keep(_ tasks: [TaskSource]) async -> KeepingOutcome {
        let (keeper, registry) = (keeper, configuration.registry)
        do {
            for task in tasks where kept[task.name] != task {
                _ = try await heartbeat.during { try await keeper.keep(task, root: registry) }
            }
            return .kept
        } catch TaskStoreError.changed(let path) {
            return .changed("\(path) changed")
        } catch {
            return .failed("\(error)")
        }
    }

    func warnNotKept(_ reason: String) {
        parts.logger.warning(
            "files of deployed tasks can't be kept: a bad replacement of one will delay other drops",
            metadata: ["reason": "\(reason)"])
    }

    /// Finds out which tasks of the deployed release can be merged again from what is kept.
    func findKept() async {
        var found: [String: TaskSource] = [:]
        let keeper = keeper
        for task in deployed?.record.tasks ?? [] {
            found[task.name] = await heartbeat.during { await keeper.find(task) }
        }
        kept = found
    }

    /// Removes what no release names that stands, and with it what an interrupted copy left.
    func forgetUnneeded() async {
        let (keeper, store) = (keeper, parts.store)
        do {
            let records = try await BlockingIO.run { try store.releases().map(\.record) }
            let candidate = running?.request.tasks ?? []
            let needed = records.flatMap(\.tasks) + candidate
            try await keeper.retain(Set(needed.map(\.digest)))
            // While the registry is looked at, sets come that nothing names yet.
            guard !scans.isRunning, let snapshot else { return }
            let accepted = snapshot.tasks.values.compactMap { upload in
                if case .accepted(let task) = upload { task.source } else { nil }
            }
            let files = Set((needed + accepted).compactMap(\.examples?.file))
            try ExampleEncoder.retain(files, in: configuration.encodedExamples)
        } catch {
            parts.logger.warning("kept files can't be removed", metadata: ["reason": "\(error)"])
        }
    }
}
