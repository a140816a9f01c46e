internal import Glibc

/// A user of this machine; in words the name where the machine knows one, and the number: `ada (1000)`, `1000`.
package struct User: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var number: UInt32

    package init(_ number: UInt32) { self.number = number }

    package var description: String { name.map { "\($0) (\(number))" } ?? "\(number)" }

    package static func < (one: User, other: User) -> Bool { one.number < other.number }

    private var name: String? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        let code = unsafe buffer.withUnsafeMutableBufferPointer { room in
            unsafe getpwuid_r(number, &entry, room.baseAddress!, room.count, &found)
        }
        guard code == 0, unsafe found != nil, let name = unsafe entry.pw_name else { return nil }
        return unsafe String(cString: name)
    }
}
