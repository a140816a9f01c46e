/// Where an HTTP call goes: `http://host:port/path?query`, or the same over a Unix socket.
package struct HTTPAddress: Hashable, Sendable {
    /// Why a text is no such address.
    package struct Problem: Error { package var message: String }

    /// A name or an address; IPv6 without brackets.
    package var host: String
    package var port: UInt16
    /// Path and query, with placeholders.
    package var target: String
    /// Path of a Unix socket that is called instead of the host.
    package var socket: String?

    /// What stands in the `Host` header.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == 80 ? name : "\(name):\(port)"
    }

    package init(_ text: String, socket: String? = nil) throws(Problem) {
        guard !text.lowercased().hasPrefix("https:") else {
            throw Problem(message: "'\(text)': https is not spoken here; call a command, for example curl")
        }
        guard text.hasPrefix("http://") else {
            throw Problem(message: "'\(text)' does not begin with http://; write for example http://127.0.0.1:8000/")
        }
        let rest = text.dropFirst(7)
        let slash = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        let authority = rest[..<slash]
        var target = String(rest[slash...].prefix { $0 != "#" })
        if !target.hasPrefix("/") { target = "/" + target }
        guard target.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(message: "'\(text)' has a character that must be written with %")
        }
        var host = authority
        var port: UInt16 = 80
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0 else {
                throw Problem(message: "'\(text)' has no port between 1 and 65535 after the colon")
            }
            (host, port) = (authority[..<colon], number)
        }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.count > 2
        let name = isBracketed ? host.dropFirst().dropLast() : host
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: isBracketed && byte == UInt8(ascii: ":")
            }
        }
        guard !name.isEmpty, isPlain else { throw Problem(message: "'\(text)' has no host that can be called") }
        if let socket, !socket.hasPrefix("/") || socket.utf8.count > 103 {
            throw Problem(message: "'\(socket)' is not an absolute path of at most 103 bytes")
        }
        self.host = String(name)
        self.port = port
        self.target = target
        self.socket = socket
    }

    /// The target with its placeholders replaced, each value written with `%` where it has to be.
    func target(_ values: HookValues) -> String { values.fill(target, Self.encoded) }

    private static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return result
    }
}
