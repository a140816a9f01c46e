import Foundation

/// An HTTP answer; its body is JSON unless it says otherwise.
struct ControlAnswer: Sendable {
    enum Status: Int, Sendable {
        case ok = 200
        case badRequest = 400
        case forbidden = 403
        case notFound = 404
        case internalError = 500
        case unavailable = 503

        var phrase: String {
            switch self {
            case .ok: "OK"
            case .badRequest: "Bad Request"
            case .forbidden: "Forbidden"
            case .notFound: "Not Found"
            case .internalError: "Internal Server Error"
            case .unavailable: "Service Unavailable"
            }
        }
    }

    var status: Status
    var body: Data
    var contentType = "application/json"
    /// What a browser may do with the body.
    var policy = "default-src 'none'; frame-ancestors 'none'"

    var bytes: Data {
        let head =
            "HTTP/1.1 \(status.rawValue) \(status.phrase)\r\nContent-Type: \(contentType)\r\n"
            + "Content-Length: \(body.count)\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n"
            + "Content-Security-Policy: \(policy)\r\nCross-Origin-Resource-Policy: same-origin\r\n"
            + "Referrer-Policy: no-referrer\r\nCache-Control: no-store\r\n\r\n"
        return Data(head.utf8) + body
    }
}
