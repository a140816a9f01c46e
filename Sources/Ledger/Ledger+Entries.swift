import Files

extension Ledger {
    /// Entries of a ledger that nobody here writes to, in order; the last `limit` where given. Stops before a torn
    /// tail.
    package static func entries(path: String, last limit: Int? = nil) throws(LedgerError) -> [LedgerEntry] {
        let file = try LedgerFile(path: path, forWriting: false)
        var length = try file.size()
        while length > 0 {
            let start = max(0, length - (1 << 16))
            if let lineBreak = try file.read(at: start, count: length - start).lastIndex(of: 0x0A) {
                length = start + lineBreak + 1
                break
            }
            length = start
        }
        return try entries(in: file, length: length, last: limit, lines: nil)
    }

    /// Entries after the one with this number, the last `most` of them. One call, so that none that is appended
    /// meanwhile pushes another out.
    package func entries(after sequence: Int, atMost most: Int) throws(LedgerError) -> [LedgerEntry] {
        let missing = chain.count - 1 - sequence
        guard missing > 0, most > 0 else { return [] }
        return try entries(last: min(missing, most)).filter { $0.sequence > sequence }
    }

    /// How many entries there are.
    package var count: Int { chain.count }

    /// Takes every entry of a ledger that nobody here writes to into `state`, in order. Stops before a torn tail;
    /// throws `LedgerError` at the first line that does not chain. Memory: a chunk and the longest line.
    package static func replay<State>(
        path: String, into state: State, _ take: (inout State, LedgerEntry) -> Void
    ) throws(LedgerError) -> State {
        var state = state
        let file = try LedgerFile(path: path, forWriting: false)
        _ = try LedgerChain(file) { members throws(JSONCursor.Fault) in
            if let entry = try LedgerEntry(members: members) { take(&state, entry) }
        }
        return state
    }

    /// Entries among the last `limit` lines of the first `length` bytes. `lines`: how many lines these are, where that
    /// is known.
    static func entries(
        in file: LedgerFile, length: Int, last limit: Int?, lines: Int?
    ) throws(LedgerError) -> [LedgerEntry] {
        let start =
            try limit.map { limit throws(LedgerError) in try beginning(of: limit, in: file, length: length) } ?? 0
        let bytes = try file.read(at: start, count: length - start)
        var entries: [LedgerEntry] = []
        for (place, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().enumerated() {
            do {
                if let entry = try LedgerEntry(members: LedgerEntry.members(of: line)) { entries.append(entry) }
            } catch {
                let number = lines.map { max(1, $0 - (limit ?? $0) + place + 1) } ?? place + 1
                throw .broken(path: file.path, line: number, reason: error.reason)
            }
        }
        return entries
    }

    /// Where the last `limit` lines begin.
    private static func beginning(of limit: Int, in file: LedgerFile, length: Int) throws(LedgerError) -> Int {
        guard limit > 0 else { return length }
        var end = length
        var left = limit
        while end > 0 {
            let start = max(0, end - (1 << 16))
            let block = try file.read(at: start, count: end - start)
            for position in block.indices.reversed() where block[position] == 0x0A && start + position + 1 < length {
                left -= 1
                if left == 0 { return start + position + 1 }
            }
            end = start
        }
        return 0
    }
}
