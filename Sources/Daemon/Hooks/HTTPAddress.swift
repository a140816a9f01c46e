/// Where an HTTP call goes: `http://host:port/path?query` or `https://…`, or the same over a Unix socket.
package struct HTTPAddress: Hashable, Sendable {
    /// Why a text is no such address.
    package struct Problem: Error { package var message: String }

    /// `http` or `https`.
    package var scheme: String
    /// A name or an address, and a port where it is not the scheme's own; or `{target}`.
    package var authority: String
    /// Path and query, with placeholders.
    package var target: String
    /// Path of a Unix socket that is called instead of the host.
    package var socket: String?

    package init(_ text: String, socket: String? = nil) throws(Problem) {
        guard let start = text.prefixMatch(of: /(https?):\/\//) else {
            throw Problem(message: "'\(text)' does not begin with http:// or https://")
        }
        let rest = text[start.range.upperBound...]
        let slash = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        authority = String(rest[..<slash])
        if authority != "{target}" { try Self.check(authority: authority, of: text) }
        let target = rest[slash...].prefix { $0 != "#" }
        guard target.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(message: "'\(text)' has a character that must be written with %")
        }
        if let socket, !socket.hasPrefix("/") || socket.utf8.count > 103 {
            throw Problem(message: "'\(socket)' is not an absolute path of at most 103 bytes")
        }
        scheme = String(start.output.1)
        self.target = (target.hasPrefix("/") ? "" : "/") + target
        self.socket = socket
    }

    /// Throws unless it is `host` or `host:port`.
    static func check(authority: some StringProtocol, of text: String) throws(Problem) {
        guard
            let parts = Substring(authority).wholeMatch(
                of: /(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]+))?/)
        else {
            throw Problem(message: "'\(text)' has no host that can be called; write for example http://127.0.0.1:8000/")
        }
        if let digits = parts.output.1, (UInt16(digits) ?? 0) == 0 {
            throw Problem(message: "'\(text)' has no port between 1 and 65535 after the colon")
        }
    }

    /// The target with its placeholders replaced, each value written with `%` where it has to be.
    func target(_ values: HookValues) -> String { values.fill(target, Self.encoded) }

    /// With `%` where a query has to have it.
    static func encoded(_ text: String) -> String {
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
