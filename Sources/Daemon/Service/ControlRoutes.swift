import Control
import Foundation
import WorkerProtocol

/// What the control socket answers: GET /status, /watch?revision=R&after=S&last=N, /plan,
/// /history?last=N, /releases/N; POST /rescan?wait=true, /rollback/N,
/// /pause, /resume, /retry/TASK. /health and /metrics are for monitoring.
struct ControlRoutes: Sendable {
    let reconciler: Reconciler
    /// Label of the metrics.
    var deployment = ""

    func answer(_ request: ControlRequest) async -> ControlAnswer {
        let parts = request.path
        do {
            switch (request.method, parts.first, parts.dropFirst().first, parts.count) {
            case ("GET", "status", nil, 1): return try answer(await reconciler.status())
            case ("GET", "watch", nil, 1):
                return try answer(
                    try await reconciler.watch(
                        revision: request.query["revision"].flatMap { Int($0) },
                        after: request.query["after"].flatMap { Int($0) }.map { max(-1, $0) },
                        last: request.query["last"].flatMap { Int($0) }.map { max(0, $0) }))
            case ("GET", "plan", nil, 1): return try answer(await reconciler.plan())
            case ("GET", "health", nil, 1):
                let health = await reconciler.health()
                return ControlAnswer(status: health.isHealthy ? .ok : .unavailable, body: try JSON.encode(health))
            case ("GET", "metrics", nil, 1):
                return ControlAnswer(
                    status: .ok, body: Data(await reconciler.metrics(deployment: deployment).utf8),
                    contentType: "text/plain; version=0.0.4; charset=utf-8")
            case ("GET", "history", nil, 1):
                return try answer(
                    try await reconciler.history(last: request.query["last"].flatMap { Int($0) }.map { max(0, $0) }))
            case ("GET", "releases", let number?, 2): return try await release(number)
            case ("POST", "rescan", nil, 1):
                return try answer(await reconciler.rescan(wait: request.query["wait"] == "true"))
            case ("POST", "pause", nil, 1): return try answer(await reconciler.pause())
            case ("POST", "resume", nil, 1): return try answer(await reconciler.resume())
            case ("POST", "retry", let task?, 2):
                return try answer(await reconciler.retry(task.removingPercentEncoding ?? task))
            case ("POST", "rollback", let number?, 2):
                guard let version = Int(number), version > 0 else {
                    return fault(.badRequest, "'\(number)' is not a release number")
                }
                return try answer(await reconciler.rollback(to: version))
            default: return fault(.notFound, "no such command: \(request.method) /\(parts.joined(separator: "/"))")
            }
        } catch {
            return fault(.internalError, "\(error)")
        }
    }

    private func release(_ number: String) async throws -> ControlAnswer {
        guard let version = Int(number), version > 0 else {
            return fault(.badRequest, "'\(number)' is not a release number")
        }
        do {
            return try answer(try await reconciler.release(version))
        } catch {
            return fault(.notFound, "release \(version) can't be shown: \(error)")
        }
    }

    func fault(_ status: ControlAnswer.Status, _ message: String) -> ControlAnswer {
        ControlAnswer(status: status, body: (try? JSON.encode(ActionReply(.failed, message))) ?? Data("{}".utf8))
    }

    private func answer(_ value: some Encodable) throws -> ControlAnswer {
        ControlAnswer(status: .ok, body: try JSON.encode(value))
    }
}
