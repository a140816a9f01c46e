import Files
import Glibc

extension Ledger {
    /// Walks the chain and cuts off what follows the last whole line, kept beside the ledger. `visit` sees the members
    /// of each line.
    static func recover(
        _ file: LedgerFile, _ visit: ([String: JSONValue]) throws(JSONCursor.Fault) -> Void
    ) throws(LedgerError) -> LedgerChain {
        let chain = try LedgerChain(file, visit)
        try cut(file, to: chain.length)
        return chain
    }

    /// Cuts off what follows the first `end` bytes, kept beside the ledger.
    static func cut(_ file: LedgerFile, to end: Int) throws(LedgerError) {
        let length = try file.size()
        guard end < length else { return }
        try keep(try file.read(at: end, count: length - end), of: file)
        try file.truncate(to: end)
    }

    private static func keep(_ tail: [UInt8], of file: LedgerFile) throws(LedgerError) {
        for number in 1... {
            let path = "\(file.path).torn-\(number)"
            guard unsafe access(path, F_OK) != 0 else { continue }
            do {
                return try Durable.replace(path, with: tail)
            } catch {
                throw .system(call: "write", path: path, errno: error.errno ?? EIO)
            }
        }
    }
}

extension LedgerFile {
    /// The directory that the ledger lies in.
    var directory: String { path.splitPath.directory }
}
