import Control
import Logging
import ServiceLifecycle

/// What of the control socket may be read over TCP, on this machine alone: the dashboard, and GET /health, /metrics,
/// /status, /watch, /timeline, /history and /releases/N. Nothing can be changed there. A port that is taken is waited
/// for: it is no reason to release nothing.
struct StatusServer: Service {
    private static let readable: Set<String> = [
        "", "dashboard.css", "dashboard.js", "health", "metrics", "status", "watch", "timeline", "history", "releases",
    ]
    /// Requests that wait here at once: as many are left for the control socket.
    static let mostWaiting = ChangeNotifier.mostWaiting / 2
    /// Ledger entries of one answer.
    private static let mostEntries = 1000
    private static let bindPause = Duration.seconds(15)

    let address: LoopbackAddress
    let routes: ControlRoutes
    let logger: Logger
    private let waiting = OpenConnections()

    init(address: LoopbackAddress, routes: ControlRoutes, logger: Logger) {
        self.address = address
        self.routes = routes
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await serve()
                } catch is CancellationError {
                    return
                } catch {
                    guard !Task.isCancelled else { return }
                    logger.error(
                        "the status server can't listen; it tries again",
                        metadata: ["address": "\(address)", "reason": "\(error)"])
                }
                try? await Task.sleep(for: Self.bindPause)
            }
        }
    }

    private func serve() async throws {
        let listener = try await HTTPServer.listen(host: address.host, port: address.port)
        try await HTTPServer(logger: logger) { await answer($0) }.serve(listener)
    }

    /// A page in a browser on this machine may have its name point here: who asks has to know where they are.
    func answer(_ request: ControlRequest) async -> ControlAnswer {
        guard LoopbackAddress.isLoopback(request.host) else {
            return routes.fault(.forbidden, "the status server answers to a loopback address or localhost only")
        }
        let first = request.path.first ?? ""
        guard request.method == "GET", Self.readable.contains(first) else {
            return routes.fault(.forbidden, "only reading is possible here; supermergectl does the rest")
        }
        var request = request
        if first == "history" {
            request.query["last"] = String(min(request.query["last"].flatMap { Int($0) } ?? .max, Self.mostEntries))
        }
        guard first == "watch" else { return await routes.answer(request) }
        defer { waiting.remove() }
        guard waiting.add() <= Self.mostWaiting else {
            return routes.fault(.unavailable, "\(Self.mostWaiting) pages are waiting for news; try again later")
        }
        return await routes.answer(request)
    }
}
