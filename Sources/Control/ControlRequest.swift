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
    package init?(_ bytes: [UInt8]) {
        let all = String(decoding: bytes, as: UTF8.self)
        guard let end = all.firstRange(of: "\r\n\r\n")?.lowerBound else { return nil }
        let text = all[..<end]
        guard let line = text.split(separator: "\r\n", maxSplits: 1).first else {
            return nil
        }
        let words = line.split(separator: " ")
        method = words.first.map(String.init) ?? ""
        let target = words.dropFirst().first?.split(separator: "?", maxSplits: 1) ?? []
        path = target.first?.split(separator: "/").map(String.init) ?? []
        query = [:]
        for pair in target.dropFirst().first?.split(separator: "&") ?? [] {
            let sides = pair.split(separator: "=", maxSplits: 1)
            if let name = sides.first { query[String(name)] = sides.dropFirst().first.map(String.init) ?? "" }
        }
        (host, origin) = ("", "")
        for header in text.split(separator: "\r\n").dropFirst() {
            let pair = header.split(separator: ":", maxSplits: 1)
            guard pair.count == 2 else { continue }
            let value = pair[1].drop { $0 == " " }
            if pair[0].lowercased() == "origin" { origin = String(value) }
            guard pair[0].lowercased() == "host" else { continue }
            host = String(value.hasPrefix("[") ? value.prefix { $0 != "]" } + "]" : value.prefix { $0 != ":" })
        }
    }
}
