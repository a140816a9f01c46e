import Foundation

/// A whole HTTP/1.1 answer with a `Content-Length`.
struct HTTPReply {
    var status: Int
    var body: Data

    /// Nil while bytes are missing.
    init?(_ bytes: Data) {
        guard let end = bytes.range(of: Data("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let parts = lines.first?.split(separator: " ") ?? []
        guard parts.count >= 2, let status = Int(parts[1]) else { return nil }
        var length = 0
        for line in lines.dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1)
            if pair.count == 2, pair[0].lowercased() == "content-length" {
                length = Int(pair[1].trimmingCharacters(in: .whitespaces)) ?? 0
            }
        }
        let body = bytes[end.upperBound...]
        guard length >= 0, body.count >= length else { return nil }
        self.status = status
        self.body = Data(body.prefix(length))
    }
}
