import Glibc

/// Why a ledger can't be opened, read or appended to.
package enum LedgerError: Error, Hashable, Sendable {
    /// A system call failed: its name, the path and errno.
    case system(call: String, path: String, errno: Int32)
    /// Another process has the ledger open for writing.
    case locked(path: String)
    case notRegular(path: String)
    /// The chain does not hold at `line` (counted from 1).
    case broken(path: String, line: Int, reason: String)
    /// The last line has no end: an append that a crash cut short, or one that is under way.
    case torn(path: String, line: Int)
    /// The ledger ends before what `source` noted of it.
    case cutOff(path: String, entries: Int, noted: Int, source: String)
    /// The first `entries` entries are not those that `source` noted.
    case replaced(path: String, entries: Int, source: String)
    /// Another file stands at the path than the one that is open, or none.
    case moved(path: String)
    /// The open file has another length than its entries: somebody else wrote to it.
    case altered(path: String, bytes: Int, expected: Int)
    /// An entry that is longer than a line may be.
    case tooLong(path: String, bytes: Int)
}

extension LedgerError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let path, let code):
            let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
            return "\(path): \(call) failed: \(reason); check the disk and the owner of the state directory"
        case .locked(let path):
            return "\(path) is in use by another supermerged; stop it, or give this instance its own `state` directory"
        case .notRegular(let path):
            return "\(path) is not a regular file; move it away"
        case .broken(let path, let line, let reason):
            return "\(path), line \(line): the chain is broken: \(reason); keep the file as evidence, then move it away"
        case .torn(let path, let line):
            return "\(path), line \(line): the last line is not complete; it is cut off at the daemon's next start"
        case .cutOff(let path, let entries, let noted, let source):
            return
                "\(path) has \(entries) entries, and \(source) noted \(noted): the last \(noted - entries) or more "
                + "were cut off; keep the file as evidence, and look for them in the journal or a backup"
        case .replaced(let path, let entries, let source):
            return
                "\(path): the first \(entries) entries are not those that \(source) noted: the ledger was written "
                + "anew; keep it as evidence, and compare it with the journal or a backup"
        case .moved(let path):
            return
                "\(path) is no longer the file that this daemon writes to: it was moved away or replaced; move it "
                + "back, or restart the daemon to go on with what stands there"
        case .altered(let path, let bytes, let expected):
            return
                "\(path) has \(bytes) bytes, and \(expected) were written: somebody else changed it; keep it as "
                + "evidence, and restart the daemon with a whole copy of it"
        case .tooLong(let path, let bytes):
            return
                "\(path): an entry of \(bytes) bytes is longer than the \(LedgerFile.longestLine) that a line may have"
        }
    }
}
