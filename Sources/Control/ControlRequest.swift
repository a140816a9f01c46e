/// The head of an HTTP request: what is asked for. Bodies are not looked at, no command has one.
package struct ControlRequest: Hashable, Sendable {
    package var method: String
    /// Parts of the path, not decoded.
    package var path: [String]
    package var query: [String: String]
    /// What the client takes the server for, without the port; empty where it does not say.
    package var host: String
    /// The page in a browser that asks; empty for every other client.
    package var origin: String

    /// Nil while the head is not whole; a malformed request line gives a path that no route knows.
    /// Taken apart by its bytes: among the characters of a text, a slash with a mark before or behind it is no slash.
    package init?(_ bytes: [UInt8]) {
        let lineEnd = Array("\r\n".utf8)
        guard let end = bytes.firstRange(of: lineEnd + lineEnd)?.lowerBound else { return nil }
        let lines = bytes[..<end].split(separator: lineEnd)
        guard let line = lines.first else { return nil }
        let words = line.split(separator: UInt8(ascii: " "))
        method = words.first.map(Self.text) ?? ""
        let target = words.dropFirst().first?.split(separator: UInt8(ascii: "?"), maxSplits: 1) ?? []
        path = target.first?.split(separator: UInt8(ascii: "/")).map(Self.text) ?? []
        query = [:]
        for pair in target.dropFirst().first?.split(separator: UInt8(ascii: "&")) ?? [] {
            let sides = pair.split(separator: UInt8(ascii: "="), maxSplits: 1)
            if let name = sides.first { query[Self.text(name)] = sides.dropFirst().first.map(Self.text) ?? "" }
        }
        (host, origin) = ("", "")
        for header in lines.dropFirst() {
            let pair = header.split(separator: UInt8(ascii: ":"), maxSplits: 1)
            guard pair.count == 2 else { continue }
            let value = pair[1].drop { $0 == UInt8(ascii: " ") }
            switch Self.text(pair[0]).lowercased() {
            case "origin": origin = Self.text(value)
            case "host": host = Self.withoutPort(value)
            default: continue
            }
        }
    }

    private static func withoutPort(_ host: ArraySlice<UInt8>) -> String {
        guard host.first == UInt8(ascii: "[") else { return text(host.prefix { $0 != UInt8(ascii: ":") }) }
        return text(host.prefix { $0 != UInt8(ascii: "]") }) + "]"
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
