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
        package var makeLooker: @Sendable (Configuration) -> any RegistryLooking
        package var makeWorker: @Sendable (Configuration) -> any MergeWorker

        package init(
            ledger: Ledger, store: ReleaseStore, notifier: ServiceNotifier = ServiceNotifier(), logger: Logger,
            makeLooker: @escaping @Sendable (Configuration) -> any RegistryLooking,
            makeWorker: @escaping @Sendable (Configuration) -> any MergeWorker
        ) {
            self.ledger = ledger
            self.store = store
            self.notifier = notifier
            self.logger = logger
            self.makeLooker = makeLooker
            self.makeWorker = makeWorker
        }
    }

    struct Waiter {
        var look: Int
        var since: ContinuousClock.Instant
        var reply: CheckedContinuation<ActionReply, Never>
    }

    let parts: Parts
    let heartbeat: Heartbeat
    let started = Date()
    nonisolated let bell = Bell()
    var configuration: Configuration
    var looker: any RegistryLooking
    var worker: any MergeWorker

    var memory = PlannerMemory()
    /// Events that the ledger could not take yet, oldest first.
    var unwritten: [LedgerEvent] = []
    /// The writing of these that is under way.
    var flushing: Task<Void, Never>?
    var deployed: Release?
    var snapshot: RegistrySnapshot?
    var running: RunningMerge?
    /// The look that is under way; cancelled by a stop, because a large drop takes minutes to read.
    var lookTask: Task<(snapshot: RegistrySnapshot, lookAgainAfter: Duration?), any Error>?
    var rest = Decision.Rest(.noTasks, "starting")
    var arrivals = ArrivalWindow()
    var commands: [@Sendable (isolated Reconciler) async -> Void] = []
    var waiters: [Waiter] = []
    /// Number of looks asked for, and done.
    var looksAsked = 1
    var looksDone = 0
    var lookAgainAt: ContinuousClock.Instant?
    var lookRegularlyAt = ContinuousClock.now
    var retryAt: ContinuousClock.Instant?
    /// Inputs → when their failed merge may be tried again.
    var backOff: [String: ContinuousClock.Instant] = [:]
    var lookFailure: String?
    var statusLine = ""
    /// What the gate or a worker refused since the registry last changed.
    var refusals: [String] = []
    var mergeFailure: String?
    var isStopping = false
    var isReady = false

    package init(_ configuration: Configuration, _ parts: Parts) {
        self.configuration = configuration
        self.parts = parts
        heartbeat = Heartbeat(parts.notifier)
        looker = parts.makeLooker(configuration)
        worker = parts.makeWorker(configuration)
    }

    /// Something may have changed: look at the registry.
    package func wake() {
        looksAsked += 1
        bell.ring()
    }

    /// Runs until `stop`. Throws where the deploy directory or the ledger can't be used at all.
    package func run() async throws {
        try await recover()
        while !isStopping, !Task.isCancelled {
            heartbeat.beat()
            await turn()
            if isStopping { break }
            showStatus()
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
        bell.ring()
    }

    private func turn() async {
        await flush()
        while !commands.isEmpty { await commands.removeFirst()(self) }
        if running?.outcome != nil { looksAsked = max(looksAsked, looksDone + 1) }
        if isLookDue { await look() }
        if isStopping { return }
        if !isReady {
            isReady = true
            await recoverLedger()
            parts.notifier.ready()
            MemoryTrim.now()
        }
        await concludeIfEnded()
        if running != nil {
            cancelIfOutdated()
        } else {
            await advance()
        }
        answerWaiters()
    }

    private var isLookDue: Bool {
        looksDone < looksAsked || lookRegularlyAt <= .now || lookAgainAt.map { $0 <= .now } ?? false
    }

    private func nextDeadline() -> ContinuousClock.Instant? {
        if !commands.isEmpty || looksDone < looksAsked || running?.outcome != nil { return .now }
        return [
            lookRegularlyAt, lookAgainAt, retryAt,
            arrivals.opens(.now, settle: configuration.settle, isSettling: lookAgainAt != nil),
            heartbeat.interval.map { .now + $0 }, unwritten.isEmpty ? nil : .now + .seconds(10),
            waiters.map { $0.since + settlingPatience }.min(),
        ].compactMap(\.self).min()
    }

    /// How long `rescan --wait` waits for drops that are still arriving.
    var settlingPatience: Duration { configuration.settle * 10 + .seconds(10) }

    private func finish() async {
        if let merge = running {
            await merge.task?.value
            let staging = merge.plan.output
            try? await Blocking.run { [store = parts.store] in try store.discardStaging(staging) }
            await record(
                LedgerEvent(
                    .mergeCancelled, merge: merge.plan.merge, message: "merge interrupted by the stop of the daemon"))
            running = nil
        }
        for waiter in waiters { waiter.reply.resume(returning: reply(.failed, "the daemon is stopping")) }
        waiters = []
        for command in commands { await command(self) }
        commands = []
        await record(LedgerEvent(.stopped, message: "daemon stopped"))
    }
}
