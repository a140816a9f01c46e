import Foundation

/// An HTTP answer with a JSON body.
struct ControlAnswer: Sendable {
    enum Status: Int, Sendable {
        case ok = 200
        case badRequest = 400
        case notFound = 404
        case internalError = 500
        case unavailable = 503

        var phrase: String {
            switch self {
            case .ok: "OK"
            case .badRequest: "Bad Request"
            case .notFound: "Not Found"
            case .internalError: "Internal Server Error"
            case .unavailable: "Service Unavailable"
            }
        }
    }

    var status: Status
    var body: Data

    var bytes: Data {
        let head =
            "HTTP/1.1 \(status.rawValue) \(status.phrase)\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        return Data(head.utf8) + body
    }
}
