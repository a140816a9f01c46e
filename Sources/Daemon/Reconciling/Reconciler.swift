import Foundation
import Control
package import Ledger
package import Logging
import Registry
package import Releases
package import Systemd
import WorkerProtocol

/// Brings the deployed release into agreement with the registry. One loop looks, decides and acts; everything else,
/// commands of the operator included, only leaves a note and rings the bell.
package actor Reconciler {
    /// What a reconciler works with; tests give their own.
    package struct Parts: Sendable {
        package var ledger: Ledger
        package var store: ReleaseStore
        package var notifier: ServiceNotifier
        package var logger: Logger
        /// How long a failed merge waits after so many failures in a row.
        package var retryDelay: @Sendable (Int) -> Duration
        package var makeLooker: @Sendable (Configuration) -> any RegistryScanning
        package var makeWorker: @Sendable (Configuration) -> any MergeWorker
        package var hooks: HookRunner

        package init(
            ledger: Ledger, store: ReleaseStore, notifier: ServiceNotifier = ServiceNotifier(), logger: Logger,
            retryDelay: @escaping @Sendable (Int) -> Duration = Reconciler.delay(afterFailures:),
            makeLooker: @escaping @Sendable (Configuration) -> any RegistryScanning,
            makeWorker: @escaping @Sendable (Configuration) -> any MergeWorker, hooks: HookRunner = HookRunner()
        ) {
            self.ledger = ledger
            self.store = store
            self.notifier = notifier
            self.logger = logger
            self.retryDelay = retryDelay
            self.makeLooker = makeLooker
            self.makeWorker = makeWorker
            self.hooks = hooks
        }
    }

    struct Waiter {
        var look: Int
        var since: ContinuousClock.Instant
        var reply: CheckedContinuation<ActionReply, Never>
    }

    /// How long a merge waits, at its start and at its end, for a look that is under way.
    static let lookPatience = Duration.seconds(1)
    /// Time between two looks that only events ask for: a drop that is copied in makes thousands of them.
    static let lookPause = Duration.milliseconds(200)

    let parts: Parts
    let heartbeat: WatchdogPinger
    let started = Date()
    nonisolated let bell = WakeSignal()
    var configuration: Configuration
    var looker: any RegistryScanning
    var worker: any MergeWorker

    var memory = PlannerMemory()
    /// Events that the ledger could not take yet, oldest first.
    var unwritten: [LedgerEvent] = []
    /// Whether the last attempt to write failed; what is only being written right now is no failure.
    var isLedgerFailing = false
    /// Events since the start, for the metrics.
    var eventCounts: [LedgerEvent.Kind: Int] = [:]
    /// Why nothing is signed over the ledger; nil where nothing speaks against it.
    var ledgerDoubt: LedgerIntegrity?
    /// Whether the signed checkpoint was looked at, with a key.
    var isCheckpointChecked = false
    /// Names the key that `LEDGER.sig` is by, where this process signed it or found that it holds.
    var checkpointKey: String?
    /// The writing of these that is under way.
    var flushing: Task<Void, Never>?
    var deployed: Release?
    var snapshot: RegistrySnapshot?
    var running: RunningMerge?
    /// The files of deployed tasks: task → where they are kept.
    var kept: [String: TaskSource] = [:]
    let keeper: TaskStore
    /// The copying of files that were not kept when their release was published.
    var keepingTask: Task<Void, Never>?
    /// The look that is under way, in a task of its own: a large drop takes minutes to read, and a registry on a
    /// network may not answer at all.
    var lookTask: Task<Void, Never>?
    /// What it found, once it has ended.
    var lookResult: Result<RegistryScanner.Scan, any Error>?
    var lookNumber = 0
    var lookBegan = ContinuousClock.now
    var lookEnded: ContinuousClock.Instant?
    /// Whether an operator waits for the look, and not only an event asks for it.
    var isLookUrgent = true
    /// Whether a decision is put off until the look that is due or under way has ended.
    var isDecisionPending = false
    /// Whether the last look left still drops unread.
    var hasUnread = false
    var rest = Decision.Rest(.noTasks, "starting")
    var arrivals = ArrivalWindow()
    var commands: [@Sendable (isolated Reconciler) async -> Void] = []
    var waiters: [Waiter] = []
    let watching = ChangeNotifier()
    /// Number of looks asked for, and done.
    var looksAsked = 1
    var looksDone = 0
    var lookAgainAt: ContinuousClock.Instant?
    var lookRegularlyAt = ContinuousClock.now
    /// When old releases and kept files are looked after next, at a look.
    var tidyAt = ContinuousClock.now
    var retryAt: ContinuousClock.Instant?
    /// Inputs → when their failed merge may be tried again.
    var backOff: [String: ContinuousClock.Instant] = [:]
    var lookFailure: String?
    /// Why changes in the registry, or in folders of it, are seen by the slow timer only.
    var watchFailure: String?
    var statusLine = ""
    var statusShown: (phase: WorkerEvent.Progress.Phase?, at: ContinuousClock.Instant)?
    /// What admission, a worker or the gate refused and nothing has put right since.
    var refusals: [String] = []
    /// Those that somebody who waited has been told of: the next arrival is not answered for by them.
    var toldRefusals: Set<String> = []
    /// What is refused where no single task is to blame.
    static let wholeMerge = "the merge"
    var mergeFailure: String?
    /// Releases whose deletion this process has entered into the ledger.
    var retired: Set<Int> = []
    /// Release → when this process first saw that there is a newer one.
    var supersededSince: [Int: ContinuousClock.Instant] = [:]
    /// Hooks that run now, and how those ended that don't.
    var hookRuns: [String: HookRun] = [:]
    var hookResults: [String: DaemonStatus.Hook] = [:]
    var hookNumber = 0
    var isStopping = false

    package init(_ configuration: Configuration, _ parts: Parts) {
        self.configuration = configuration
        self.parts = parts
        heartbeat = WatchdogPinger(parts.notifier)
        keeper = TaskStore(directory: configuration.keptTasks)
        looker = parts.makeLooker(configuration)
        worker = parts.makeWorker(configuration)
    }

    /// Something may have changed: look at the registry.
    package func wake() {
        looksAsked += 1
        bell.ring()
    }

    /// As `wake`, at once.
    func wakeUrgently() {
        isLookUrgent = true
        wake()
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
        lookTask?.cancel()
        keepingTask?.cancel()
        for run in hookRuns.values { run.task.cancel() }
        bell.ring()
    }

    private func turn() async {
        await flush()
        await takeLook()
        while !commands.isEmpty { await commands.removeFirst()(self) }
        beginLookIfDue()
        if isStopping { return }
        await concludeIfEnded()
        if running != nil {
            cancelIfOutdated()
        } else {
            await advance()
        }
        answerWaiters()
    }

    func nextDeadline() -> ContinuousClock.Instant? {
        if !commands.isEmpty || lookResult != nil { return .now }
        let now = ContinuousClock.now
        // Each of these is waited for once; what has passed must not wake the loop again and again.
        let patience = [
            lookTask == nil ? nil : lookBegan + Self.lookPatience,
            running?.outcome == nil ? nil : running?.lookDeadline,
            running == nil ? waiters.map { $0.since + settlingPatience }.filter { $0 > now }.min() : nil,
        ].compactMap(\.self).filter { $0 > now }
        return
            ([
                lookTask == nil ? lookDue : nil, retryAt,
                arrivals.opens(now, settle: configuration.settle, isSettling: lookAgainAt != nil),
                heartbeat.interval.map { now + $0 }, unwritten.isEmpty ? nil : now + .seconds(10),
            ].compactMap(\.self) + patience).min()
    }

    /// How long `rescan --wait` waits for drops that are still arriving.
    var settlingPatience: Duration { configuration.settle * 10 + .seconds(10) }

    private func finish() async {
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
        for waiter in waiters { waiter.reply.resume(returning: reply(.failed, "the daemon is stopping")) }
        waiters = []
        watching.end()
        for command in commands { await command(self) }
        commands = []
        await record(LedgerEvent(.stopped, message: "daemon stopped"))
        await noteCheckpoint()
    }
}
