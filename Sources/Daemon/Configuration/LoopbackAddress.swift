/// A port on this machine's own address, for example `127.0.0.1:9464` or `[::1]:9464`.
package struct LoopbackAddress: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: UInt16

    var isVersion6: Bool { host == "::1" }

    package var description: String { isVersion6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Nil for anything that others than this machine can reach, and for what is no address.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        let host = String(text[..<colon])
        guard Self.isLoopback(host) else { return nil }
        self.host = host == "localhost" ? "127.0.0.1" : host == "[::1]" ? "::1" : host
        self.port = port
    }

    /// Whether a name or address, IPv6 in brackets, stands for this machine itself.
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { part in
                UInt8(part).map { String($0) == part } ?? false
            }
    }
}
