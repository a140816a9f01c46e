import Control
import FlyingFox
import Foundation
import WorkerProtocol

/// What the control socket answers: GET /status, /history?last=N, /releases/N; POST /rescan?wait=true, /rollback/N,
/// /pause, /resume, /retry/TASK.
struct ControlRoutes: HTTPHandler {
    let reconciler: Reconciler

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        let parts = request.path.split(separator: "/").map(String.init)
        do {
            switch (request.method, parts.first, parts.dropFirst().first, parts.count) {
            case (.GET, "status", nil, 1): return try answer(await reconciler.status())
            case (.GET, "history", nil, 1):
                return try answer(try await reconciler.history(last: request.query["last"].flatMap { Int($0) }))
            case (.GET, "releases", let number?, 2): return try await release(number)
            case (.POST, "rescan", nil, 1):
                return try act(await reconciler.rescan(wait: request.query["wait"] == "true"))
            case (.POST, "pause", nil, 1): return try act(await reconciler.pause())
            case (.POST, "resume", nil, 1): return try act(await reconciler.resume())
            case (.POST, "retry", let task?, 2):
                return try act(await reconciler.retry(task.removingPercentEncoding ?? task))
            case (.POST, "rollback", let number?, 2):
                guard let version = Int(number), version > 0 else {
                    return try fault(.badRequest, "'\(number)' is not a release number")
                }
                return try act(await reconciler.rollback(to: version))
            default: return try fault(.notFound, "no such command: \(request.method.rawValue) \(request.path)")
            }
        } catch {
            return try fault(.internalServerError, "\(error)")
        }
    }

    private func release(_ number: String) async throws -> HTTPResponse {
        guard let version = Int(number), version > 0 else {
            return try fault(.badRequest, "'\(number)' is not a release number")
        }
        do {
            return try answer(try await reconciler.release(version))
        } catch {
            return try fault(.notFound, "release \(version) can't be shown: \(error)")
        }
    }

    private func act(_ reply: ActionReply) throws -> HTTPResponse { try answer(reply) }

    private func fault(_ status: HTTPStatusCode, _ message: String) throws -> HTTPResponse {
        try answer(ActionReply(.failed, message), status: status)
    }

    private func answer(_ value: some Encodable, status: HTTPStatusCode = .ok) throws -> HTTPResponse {
        HTTPResponse(
            statusCode: status, headers: [.contentType: "application/json"], body: try JSON.encode(value))
    }
}
