import Files
import Glibc
import Ledger
import Logging
import Registry
import Releases
import ServiceLifecycle
import Systemd
import Tasks
import UnixSignals
import WorkerProtocol

/// The whole daemon, from its configuration file to its end.
package struct DaemonProgram: Sendable {
    /// Time that a stop may take: the worker has `workerGrace` of it to save its state.
    private static let longestStop = Duration.seconds(10)
    private static let workerGrace = Duration.seconds(4)

    private let file: String
    private let configuration: Configuration
    private let logger: Logger
    private let isJournal: Bool

    /// Reads the configuration; throws `ConfigurationError`.
    package init(configuration file: String, isVerbose: Bool) throws {
        self.file = file
        configuration = try Configuration.load(file)
        let isJournal = Journal.isConnected
        self.isJournal = isJournal
        var logger = Logger(label: "supermerged") { _ in DaemonLogHandler(journal: isJournal) }
        logger.logLevel = isVerbose ? .debug : .info
        self.logger = logger
    }

    /// Runs until SIGTERM or SIGINT. Throws where the directories can't be used.
    package func run() async throws {
        // A client of the control socket that goes away must not end the daemon.
        signal(SIGPIPE, SIG_IGN)
        try Durable.createDirectories(configuration.state)
        var store = ReleaseStore(deploy: configuration.deploy)
        let opening = try LedgerOpening(configuration, store)
        await opening.ledger.observe { [echo = LedgerMirror(journal: isJournal)] entry in echo(entry) }
        let mark = WorkerPIDFile(path: configuration.state + "/worker.pid")
        if mark.killOrphan() { logger.warning("ended the worker that an earlier daemon left") }
        store.onTrouble = { [logger] error in
            logger.error(
                "a release is live, but its publishing could not be finished; the next start does that",
                metadata: ["reason": "\(error)"])
        }
        let reconciler = Reconciler(
            configuration,
            Reconciler.Parts(
                opening: opening, store: store, logger: logger,
                makeLooker: { [logger] in Self.looker($0, logger) },
                makeWorker: { [logger] in Self.worker($0, mark, logger) }))
        try await serve(reconciler)
    }

    private func serve(_ reconciler: Reconciler) async throws {
        var monitoring: [any Service] = []
        if let address = LoopbackAddress(configuration.status.listen) {
            monitoring.append(
                StatusServer(
                    address: address, routes: ControlRoutes(reconciler: reconciler, deployment: deployment),
                    logger: logger))
        }
        if !configuration.status.textfile.isEmpty {
            monitoring.append(
                TextfileService(
                    path: configuration.status.textfile, deployment: deployment, reconciler: reconciler, logger: logger)
            )
        }
        var services = ServiceGroupConfiguration(
            services: monitoring + [
                ControlServer(
                    path: configuration.socket, reconciler: reconciler, logger: logger, deployment: deployment),
                WatcherService(registry: configuration.registry, reconciler: reconciler, logger: logger),
                ReloadService(file: file, reconciler: reconciler), ReconcilerService(reconciler: reconciler),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        services.maximumGracefulShutdownDuration = Self.longestStop
        // No limit beyond: what is left then is a publish, whose fsyncs take as long as the disk does. The library
        // would end the process as if it had crashed; systemd's TimeoutStopSec= ends one that hangs.
        services.maximumCancellationDuration = nil
        try await ServiceGroup(configuration: services).run()
    }

    /// NAME of /etc/supermerge/NAME.yaml, by which several deployments on one machine are told apart.
    private var deployment: String {
        let name = file.pathNames.last ?? file
        return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    }

    private static func looker(_ configuration: Configuration, _ logger: Logger) -> any RegistryScanning {
        let worker = ExampleWorker(executable: executable(configuration), logger: logger)
        let encoding = BackgroundEncoding(ask: worker.reply)
        return RegistryScanner(
            registry: configuration.registry, cache: configuration.admissionCache, settle: configuration.settle,
            requiresValidation: configuration.requiresExamples,
            labelled: Set(TaskSettings.Objective.allCases.filter(configuration.merge.needsLabels)),
            needsAdapters: configuration.merge.writesAdapter,
            encoder: ExampleEncoder(
                directory: configuration.encodedExamples, run: encoding.reply, stop: encoding.cancel))
    }

    private static func worker(
        _ configuration: Configuration, _ mark: WorkerPIDFile, _ logger: Logger
    ) -> any MergeWorker {
        WorkerSupervisor(
            executable: executable(configuration), patience: configuration.patience, grace: workerGrace, mark: mark,
            clock: ContinuousClock(), logger: logger)
    }

    private static func executable(_ configuration: Configuration) -> String {
        configuration.worker.isEmpty ? defaultWorker : configuration.worker
    }

    /// `supermerge` beside this program.
    private static var defaultWorker: String { SystemPath.neighbour("supermerge") }
}
