import Control
import Foundation
import WorkerProtocol

/// What the control socket answers: GET /status, /watch?revision=R&after=S&last=N, /plan,
/// /history?last=N, /releases/N; POST /rescan?wait=true, /rollback/N, /promote/N, /reject/N,
/// /pause, /resume, /retry/TASK, /accept-ledger, /submitted/TASK?digest=D, /withdrawn/TASK.
/// /health and /metrics are for monitoring; /, /dashboard.css, /dashboard.js, /timeline and
/// /releases/N/report.html are the dashboard.
struct ControlRoutes: Sendable {
    let reconciler: Reconciler
    /// Label of the metrics.
    var deployment = ""

    func answer(_ request: ControlRequest) async -> ControlAnswer {
        let parts = request.path
        // A socket that is forwarded to a port can be reached by any page of a browser there.
        guard request.method == "GET" || request.origin.isEmpty else {
            return fault(.forbidden, "pages in a browser can only read; supermergectl does the rest")
        }
        if request.method == "GET", parts.count < 2, let answer = dashboard.answer(parts.first ?? "") { return answer }
        do {
            switch (request.method, parts.first, parts.dropFirst().first, parts.count) {
            case ("GET", "timeline", nil, 1): return try answer(try await reconciler.timeline())
            case ("GET", "releases", let number?, 3) where parts[2] == "report.html": return await report(number)
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
            case ("POST", "accept-ledger", nil, 1): return try answer(await reconciler.acceptLedger())
            case ("POST", "retry", let task?, 2):
                return try answer(await reconciler.retry(task.removingPercentEncoding ?? task))
            case ("POST", "submitted", let task?, 2):
                return try answer(
                    await reconciler.noteSubmission(
                        task.removingPercentEncoding ?? task, digest: request.query["digest"]))
            case ("POST", "withdrawn", let task?, 2):
                return try answer(await reconciler.noteWithdrawal(task.removingPercentEncoding ?? task))
            case ("POST", let verb?, let number?, 2) where ["promote", "reject"].contains(verb):
                guard let version = Int(number), version > 0 else {
                    return fault(.badRequest, "'\(number)' is not a release number")
                }
                return try answer(
                    verb == "promote" ? await reconciler.promote(version) : await reconciler.reject(version))
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

    private var dashboard: Dashboard { Dashboard(deployment: deployment) }

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

    private func report(_ number: String) async -> ControlAnswer {
        guard let version = Int(number), version > 0 else {
            return fault(.badRequest, "'\(number)' is not a release number")
        }
        do {
            return ControlAnswer(
                status: .ok, body: Data(try await reconciler.report(version)), contentType: "text/html; charset=utf-8",
                policy: Dashboard.reportPolicy)
        } catch {
            return fault(.notFound, "the report of release \(version) can't be shown: \(error)")
        }
    }

    func fault(_ status: ControlAnswer.Status, _ message: String) -> ControlAnswer {
        ControlAnswer(status: status, body: (try? JSON.encode(ActionReply(.failed, message))) ?? Data("{}".utf8))
    }

    private func answer(_ value: some Encodable) throws -> ControlAnswer {
        ControlAnswer(status: .ok, body: try JSON.encode(value))
    }
}
