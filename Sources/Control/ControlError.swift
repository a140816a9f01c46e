/// Why a command did not reach the daemon or was not understood.
package enum ControlError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nobody listens on the socket, or it can't be opened.
    case unreachable(socket: String, reason: String)
    /// The daemon answered with an error.
    case rejected(status: Int, message: String)
    /// The answer is not HTTP, or ended too early.
    case garbled(String)

    package var description: String {
        switch self {
        case .unreachable(let socket, let reason):
            "no daemon answers at \(socket): \(reason); is supermerged running, and may you use its socket?"
        case .rejected(_, let message): message
        case .garbled(let reason): "the daemon's answer can't be read: \(reason)"
        }
    }
}
