import Files
import Foundation
import Glibc
import Ledger

/// Who sent the command that is being carried out, as the kernel tells of the socket's other end.
struct Caller: Hashable, Sendable {
    /// Nil where nobody on a socket asked.
    @TaskLocal static var current: Caller?

    let user: UInt32

    init?(_ user: UInt32?) {
        guard let user else { return nil }
        self.user = user
    }

    /// What the ledger keeps: the number, and the name where the machine knows one.
    static var details: [String: JSONValue] {
        guard let user = current?.user else { return [:] }
        return ["by": .string(name(of: user).map { "\($0) (\(user))" } ?? "\(user)")]
    }

    private static func name(of user: UInt32) -> String? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        let code = unsafe buffer.withUnsafeMutableBufferPointer { room in
            unsafe getpwuid_r(user, &entry, room.baseAddress!, room.count, &found)
        }
        guard code == 0, unsafe found != nil, let name = unsafe entry.pw_name else { return nil }
        return unsafe String(cString: name)
    }
}
