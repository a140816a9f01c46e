import Foundation
import Control
package import Ledger
package import Logging
import Registry
package import Releases
package import Systemd
import WorkerProtocol

/// Brings the deployed release into agreement with the registry. One loop scans, decides and acts; everything else,
/// commands of the operator included, only enqueues work and signals the loop.
package actor Reconciler {
    /// What a reconciler works with; tests give their own.
    package struct Parts: Sendable {
        package var opening: LedgerOpening
        package var store: ReleaseStore
        package var notifier: ServiceNotifier
        package var logger: Logger
        package var ledger: Ledger { opening.ledger }
        /// How long a failed merge waits after so many failures in a row.
        package var retryDelay: @Sendable (Int) -> Duration
        package var makeLooker: @Sendable (Configuration) -> any RegistryScanning
        package var makeWorker: @Sendable (Configuration) -> any MergeWorker
        package var hooks: HookRunner
        package var checker: RolloutChecker
        package var gateCommand: GateCommandRunner
        package var timestamps: TimestampRunner

        package init(
            opening: LedgerOpening, store: ReleaseStore, notifier: ServiceNotifier = ServiceNotifier(), logger: Logger,
            retryDelay: @escaping @Sendable (Int) -> Duration = Reconciler.delay(afterFailures:),
            makeLooker: @escaping @Sendable (Configuration) -> any RegistryScanning,
            makeWorker: @escaping @Sendable (Configuration) -> any MergeWorker, hooks: HookRunner = HookRunner(),
            checker: RolloutChecker = RolloutChecker(), gateCommand: GateCommandRunner = GateCommandRunner(),
            timestamps: TimestampRunner = TimestampRunner()
        ) {
            self.opening = opening
            self.store = store
            self.notifier = notifier
            self.logger = logger
            self.retryDelay = retryDelay
            self.makeLooker = makeLooker
            self.makeWorker = makeWorker
            self.hooks = hooks
            self.checker = checker
            self.gateCommand = gateCommand
            self.timestamps = timestamps
        }
    }

    let parts: Parts
    let heartbeat: WatchdogPinger
    let started = Date()
    nonisolated let bell = WakeSignal()
    var configuration: Configuration
    var looker: any RegistryScanning
    var worker: any MergeWorker

    var memory = PlannerMemory()
    var ledgerQueue = LedgerQueue()
    var trust = LedgerTrust()
    /// The writing of `ledgerQueue` that is under way.
    var flushing: Task<Void, Never>?
    var deployed: Release?
    var snapshot: RegistrySnapshot?
    var running: RunningMerge?
    /// The files of deployed tasks: task → where they are kept.
    var kept: [String: TaskSource] = [:]
    let keeper: TaskStore
    /// The copying of files that were not kept when their release was published.
    var keepingTask: Task<Void, Never>?
    var scans = ScanSchedule()
    /// The scan that is running, in a task of its own: a large upload takes minutes to read, and a registry on a
    /// network may not answer at all.
    var scanTask: Task<Void, Never>?
    /// What it found, once it has ended.
    var scanResult: Result<RegistryScanner.Scan, any Error>?
    /// Whether a decision is put off until the scan that is due or running has ended.
    var isDecisionPending = false
    var rest = Decision.Rest(.noTasks, "starting")
    var arrivals = ArrivalWindow()
    var commands: [@Sendable (isolated Reconciler) async -> Void] = []
    var waiters = Waiters<CheckedContinuation<ActionReply, Never>>()
    let watching = ChangeNotifier()
    var retries = MergeRetries()
    /// Why changes in the registry, or in folders of it, are seen by the slow timer only.
    var watchFailure: String?
    var statusLine = StatusLine()
    var refusals = Refusals()
    var retention = Retention()
    var hooks = HookSchedule()
    /// The release that `candidate` points at.
    var candidate: Release?
    /// The trial of `memory.rollout`.
    var trial: RunningTrial?
    var stamps = TimestampState()
    var isStopping = false

    package init(_ configuration: Configuration, _ parts: Parts) {
        self.configuration = configuration
        self.parts = parts
        heartbeat = WatchdogPinger(parts.notifier)
        keeper = TaskStore(directory: configuration.keptTasks)
        looker = parts.makeLooker(configuration)
        worker = parts.makeWorker(configuration)
    }

    /// Something may have changed: scan the registry.
    package func wake() {
        scans.request()
        bell.ring()
    }

    /// As `wake`, at once.
    func wakeUrgently() {
        scans.request(urgently: true)
        bell.ring()
    }

    /// Runs until `stop`. Throws where the deploy directory or the ledger can't be used at all.
    package func run() async throws {
        try await recover()
        parts.notifier.ready()
        while !isStopping, !Task.isCancelled {
            heartbeat.beat()
            await turn()
            if isStopping { break }
            showStatus()
            watching.tell()
            await bell.wait(until: nextDeadline())
        }
        await finish()
    }

    /// Ends the loop; a running worker saves its state and ends.
    package func stop() {
        guard !isStopping else { return }
        isStopping = true
        parts.notifier.stopping()
        running?.task?.cancel()
        scanTask?.cancel()
        keepingTask?.cancel()
        for task in hooks.tasks { task.cancel() }
        trial?.check?.cancel()
        stamps.task?.cancel()
        bell.ring()
    }

    private func turn() async {
        await flush()
        await takeScan()
        while !commands.isEmpty { await commands.removeFirst()(self) }
        beginScanIfDue()
        if isStopping { return }
        catchUpHooks()
        await driveTrial()
        await concludeIfEnded()
        if running != nil {
            cancelIfOutdated()
        } else {
            await advance()
        }
        await stampIfDue()
        answerWaiters()
    }

    func nextDeadline() -> ContinuousClock.Instant? {
        if !commands.isEmpty || scanResult != nil || trial?.hasAnswer == true { return .now }
        let now = ContinuousClock.now
        // Each of these is waited for once; what has passed must not wake the loop again and again.
        let patience = [
            scans.runningSince.map { $0 + ScanSchedule.patience },
            running?.outcome == nil ? nil : running?.scanDeadline,
            running == nil ? waiters.deadline(patience: settlingPatience, now) : nil,
        ].compactMap(\.self).filter { $0 > now }
        return
            ([
                scans.isRunning ? nil : scans.due(now), retries.dueAt,
                stamps.task == nil ? stamps.dueAt.flatMap { $0 > now ? $0 : nil } : nil, gatheringEnds(now),
                heartbeat.interval.map { now + $0 }, ledgerQueue.isEmpty ? nil : now + .seconds(10),
            ].compactMap(\.self) + (trial?.deadlines ?? []) + patience).min()
    }

    /// Until when a merge waits for more arrivals; nil: it does not.
    func gatheringEnds(_ now: ContinuousClock.Instant = .now) -> ContinuousClock.Instant? {
        arrivals.opens(now, settle: configuration.settle, isSettling: scans.isSettling)
    }

    /// How long `rescan --wait` waits for drops that are still arriving.
    var settlingPatience: Duration { configuration.settle * 10 + .seconds(10) }

    private func finish() async {
        await looker.stop()
        if let merge = running {
            merge.task?.cancel()
            await merge.task?.value
            let staging = merge.plan.output
            try? await BlockingIO.run { [store = parts.store] in try store.discardStaging(staging) }
            await record(
                LedgerEvent(
                    .mergeCancelled, merge: merge.plan.merge, message: "merge interrupted by the stop of the daemon"))
            running = nil
        }
        await endHooks()
        await trial?.check?.value
        await stamps.task?.value
        for waiter in waiters.takeAll() { waiter.resume(returning: reply(.failed, "the daemon is stopping")) }
        watching.end()
        for command in commands { await command(self) }
        commands = []
        await record(LedgerEvent(.stopped, message: "daemon stopped"))
        await noteCheckpoint()
    }
}
