import Foundation
import NIOHTTP1

/// An HTTP answer; its body is JSON unless it says otherwise.
struct ControlAnswer: Sendable {
    enum Status: Int, Sendable {
        case ok = 200
        case badRequest = 400
        case forbidden = 403
        case notFound = 404
        case internalError = 500
        case unavailable = 503
    }

    var status: Status
    var body: Data
    var contentType = "application/json"
    /// What a browser may do with the body.
    var policy = "default-src 'none'; frame-ancestors 'none'"

    var head: HTTPResponseHead {
        HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: status.rawValue),
            headers: [
                "Content-Type": contentType, "Content-Length": "\(body.count)", "Connection": "close",
                "X-Content-Type-Options": "nosniff", "Content-Security-Policy": policy,
                "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer",
                "Cache-Control": "no-store",
            ])
    }
}
