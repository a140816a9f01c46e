package import NIOHTTP1

/// The head of an HTTP request: what is asked for. Bodies are not read, no command has one.
package struct ControlRequest: Hashable, Sendable {
    /// Maximum bytes of a request, whose body is not read.
    package static let maximumBytes = 16 << 10

    package var method: String
    /// Parts of the path, not decoded.
    package var path: [String]
    package var query: [String: String]
    /// What the client takes the server for, without the port; empty where it does not say, or says several.
    package var host: String
    /// The page in a browser that asks; empty for every other client.
    package var origin: String

    /// Taken apart by its bytes: among the characters of a text, a slash with a mark before or behind it is no slash.
    package init(_ head: HTTPRequestHead) {
        method = head.method.rawValue
        let target = head.uri.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        path = target.first?.split(separator: UInt8(ascii: "/")).map(Self.text) ?? []
        query = [:]
        for pair in target.dropFirst().first?.split(separator: UInt8(ascii: "&")) ?? [] {
            let sides = pair.split(separator: UInt8(ascii: "="), maxSplits: 1)
            if let name = sides.first { query[Self.text(name)] = sides.dropFirst().first.map(Self.text) ?? "" }
        }
        let hosts = head.headers["host"]
        host = hosts.count == 1 ? Self.withoutPort(hosts[0]) : ""
        origin = head.headers["origin"].joined(separator: ", ")
    }

    private static func withoutPort(_ host: String) -> String {
        guard host.utf8.first == UInt8(ascii: "[") else { return text(host.utf8.prefix { $0 != UInt8(ascii: ":") }) }
        return text(host.utf8.prefix { $0 != UInt8(ascii: "]") }) + "]"
    }

    private static func text(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: Array(bytes), as: UTF8.self)
    }
}
