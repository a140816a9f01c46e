import Control
import Daemon
import Foundation
import Ledger
import Logging
import Registry
import Releases
import Systemd
import Tasks
import WorkerProtocol

/// A reconciler over a real deploy directory and a real ledger, with a fake registry and a fake worker.
struct DaemonStand {
    let folder: String
    let registry: FakeRegistry
    let worker = FakeWorker()
    var configuration = Configuration()
    var calls = LedgerCalls()
    /// The time of all entries, in milliseconds since 1970; nil: when they are written.
    var ledgerTime: Int64?
    /// What runs hooks.
    var hooks = HookRunner()
    /// What asks the checks of releases on trial.
    var checker = RolloutChecker()
    /// How long a failed merge waits.
    var retryDelay: @Sendable (Int) -> Duration = { _ in .seconds(3600) }

    /// `retain`: releases to keep, without grace; default: the configuration's.
    init(_ snapshot: RegistrySnapshot, retain: Int? = nil) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "daemon-\(UUID().uuidString)").path
        for name in ["registry/base", "state", "deploy"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        registry = FakeRegistry(snapshot)
        configuration.registry = folder + "/registry"
        configuration.deploy = folder + "/deploy"
        configuration.state = folder + "/state"
        configuration.settle = .zero
        if let retain { (configuration.retain.versions, configuration.retain.grace) = (retain, .zero) }
    }

    var store: ReleaseStore { ReleaseStore(deploy: configuration.deploy) }

    /// An accepted base whose folder is there, as publishing wants it.
    func base(_ digest: String = "base") -> AcceptedBase {
        var base = Samples.base(digest)
        base.source.directory = configuration.registry + "/base"
        return base
    }

    func drop(_ names: String...) {
        registry.set(Samples.snapshot(names.map { Samples.task($0) }, base: base()))
    }

    /// Runs a daemon's life: `body` talks to it, then it stops.
    func live(_ body: (Reconciler) async throws -> Void) async throws {
        let opening = try await openLedger()
        let reconciler = Reconciler(
            configuration,
            Reconciler.Parts(
                opening: opening, store: store, notifier: ServiceNotifier { _ in },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, retryDelay: retryDelay,
                makeLooker: { [registry] _ in registry }, makeWorker: { [worker] _ in worker }, hooks: hooks,
                checker: checker))
        let loop = Task { try await reconciler.run() }
        do {
            try await body(reconciler)
        } catch {
            await reconciler.stop()
            _ = try? await loop.value
            throw error
        }
        await reconciler.stop()
        try await loop.value
    }

    /// Tasks of the daemon before, which has stopped, may hold its ledger a moment longer: another process would have
    /// ended.
    private func openLedger() async throws -> LedgerOpening {
        while true {
            if let opening = try freeLedger() { return opening }
            try await turn()
        }
    }

    /// Nil where somebody has it.
    private func freeLedger() throws(LedgerError) -> LedgerOpening? {
        do throws(LedgerError) {
            guard let ledgerTime else { return try LedgerOpening(configuration, store, calls: calls) }
            return try LedgerOpening(configuration, store, calls: calls, now: { ledgerTime })
        } catch {
            guard case .locked = error else { throw error }
            return nil
        }
    }

    func kinds() async throws -> [LedgerEvent.Kind] {
        try Ledger.entries(path: configuration.ledger).map(\.event)
    }

    func remove() {
        let paths = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        for path in paths {
            try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: "\(folder)/\(path)")
        }
        try? FileManager.default.removeItem(atPath: folder)
    }
}
