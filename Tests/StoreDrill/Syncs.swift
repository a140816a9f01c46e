import Files
import Glibc
import Ledger

/// Which fsyncs are done, from the environment's `STORE_DRILL_SYNC`: a test that is to find what a power cut loses has
/// to find it where they are left out.
enum Syncs: String {
    case all, none
    /// Those of files are left out.
    case directories

    static func chosen(_ environment: [String: String]) -> Syncs? {
        environment["STORE_DRILL_SYNC"].map { Syncs(rawValue: $0) } ?? .all
    }

    var fileCalls: FileCalls {
        var calls = FileCalls()
        if self != .all { calls.sync = { isDone($0) ? fsync($0) : 0 } }
        return calls
    }

    var ledgerCalls: LedgerCalls {
        var calls = LedgerCalls()
        if self != .all { calls.sync = { isDone($0) ? fsync($0) : 0 } }
        return calls
    }

    private func isDone(_ descriptor: Int32) -> Bool {
        var status = stat()
        guard self != .none, fstat(descriptor, &status) == 0 else { return self == .all }
        return self == .all || status.st_mode & S_IFMT == S_IFDIR
    }
}
