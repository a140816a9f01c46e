import Files
import Ledger

/// Who sent the command that is being carried out, as the kernel tells of the socket's other end.
struct PeerCredentials: Hashable, Sendable {
    /// Nil where nobody on a socket asked.
    @TaskLocal static var current: PeerCredentials?

    let user: UInt32

    init?(_ user: UInt32?) {
        guard let user else { return nil }
        self.user = user
    }

    /// What the ledger keeps: the number, and the name where the machine knows one.
    static var details: [String: JSONValue] {
        guard let user = current?.user else { return [:] }
        return ["by": .string(User(user).description)]
    }
}
