import Files

/// A walk along a ledger that checks each line against the one before it. Memory: a chunk and the longest line.
struct LedgerChain {
    /// Number of lines, and so the next sequence.
    private(set) var count = 0
    /// SHA-256 of the last line; 64 zeros before the first.
    private(set) var last = String(repeating: "0", count: 64)
    /// Where the last good line ends.
    private(set) var length = 0

    /// Walks the whole file. An unterminated tail, or a last line with NUL bytes in it (what a crash leaves of pages
    /// that never reached the disk), stops the walk at `length`; any other fault is thrown as `LedgerError.broken`.
    /// `upTo`: bytes to walk, default all; `visit` sees the members of each line.
    init(
        _ file: LedgerFile, upTo limit: Int? = nil,
        _ visit: ([String: JSONValue]) throws(JSONCursor.Fault) -> Void = { _ in }
    ) throws(LedgerError) {
        let end: Int
        if let limit { end = limit } else { end = try file.size() }
        var pending: [UInt8] = []
        var offset = 0
        while offset < end {
            let chunk = try file.read(at: offset, count: min(1 << 20, end - offset))
            guard !chunk.isEmpty else { return }
            offset += chunk.count
            var start = chunk.startIndex
            while let lineBreak = chunk[start...].firstIndex(of: 0x0A) {
                var line = chunk[start..<lineBreak]
                if !pending.isEmpty {
                    pending += line
                    line = pending[...]
                    pending = []
                }
                start = lineBreak + 1
                let isLast = start == chunk.endIndex && offset == end
                if isLast && line.contains(0) { return }
                try take(line, path: file.path, visit)
            }
            pending += chunk[start...]
            guard pending.count <= LedgerFile.longestLine else {
                throw .broken(path: file.path, line: count + 1, reason: "the line is too long")
            }
        }
    }

    /// Checks a line and goes on to it.
    private mutating func take(
        _ line: ArraySlice<UInt8>, path: String, _ visit: ([String: JSONValue]) throws(JSONCursor.Fault) -> Void
    ) throws(LedgerError) {
        let members: [String: JSONValue]
        do {
            members = try LedgerEntry.members(of: line)
        } catch {
            throw .broken(path: path, line: count + 1, reason: error.reason)
        }
        guard members["sequence"] == .integer(count) else {
            throw .broken(path: path, line: count + 1, reason: "its sequence is not \(count)")
        }
        guard members["previous"] == .string(last) else {
            throw .broken(path: path, line: count + 1, reason: "it does not carry the digest of the line before it")
        }
        do {
            try visit(members)
        } catch {
            throw .broken(path: path, line: count + 1, reason: error.reason)
        }
        advance(line)
    }

    /// Goes on to a line that is known to chain.
    mutating func advance(_ line: ArraySlice<UInt8>) {
        count += 1
        last = Digest.sha256(line)
        length += line.count + 1
    }
}
