import Foundation

/// An HTTP/1.1 answer as it arrives: with a length, in chunks, or until the connection ends.
struct HTTPAnswer: Hashable, Sendable {
    var status: Int
    var body: Data

    /// Nil while bytes are missing, or where it is no answer. `isEnded`: no more will come.
    init?(_ bytes: Data, isEnded: Bool) {
        var (status, lines, rest) = (0, [Substring](), bytes)
        // Interim answers come before the real one.
        while status < 200 {
            guard let head = Self.head(of: rest) else { return nil }
            (status, lines, rest) = head
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1)
            guard pair.count == 2 else { continue }
            headers[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces).lowercased()
        }
        self.status = status
        if headers["transfer-encoding"]?.hasSuffix("chunked") == true {
            guard let body = Self.joined(rest) else { return nil }
            self.body = body
        } else if let length = headers["content-length"].flatMap({ Int($0) }) {
            guard length >= 0, rest.count >= length else { return nil }
            body = Data(rest.prefix(length))
        } else {
            guard isEnded || status == 204 || status == 304 else { return nil }
            body = Data(rest)
        }
    }

    /// The status, the lines of the head, and what follows it.
    private static func head(of bytes: Data) -> (status: Int, lines: [Substring], rest: Data)? {
        guard let end = bytes.firstRange(of: Data("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]), (100..<1000).contains(status)
        else { return nil }
        return (status, lines, bytes[end.upperBound...])
    }

    /// The chunks one after another; nil while one is missing or where one is malformed.
    private static func joined(_ bytes: Data) -> Data? {
        var (rest, body) = (bytes, Data())
        while let line = rest.firstRange(of: Data("\r\n".utf8)) {
            let digits = String(decoding: rest[..<line.lowerBound].prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
            guard let count = Int(digits.trimmingCharacters(in: .whitespaces), radix: 16), count >= 0 else {
                return nil
            }
            if count == 0 { return body }
            let chunk = rest[line.upperBound...]
            guard chunk.count - 2 >= count else { return nil }
            body += chunk.prefix(count)
            rest = chunk.dropFirst(count + 2)
        }
        return nil
    }
}
