import Glibc

/// The system calls that change a ledger, so that tests can let them fail, and a count of those that read it. Each sets
/// errno as the system does.
package struct LedgerCalls: Sendable {
    /// Told of each read, with its bytes.
    package var noteRead: @Sendable (_ bytes: Int) -> Void = { _ in }
    /// Bytes written, or -1.
    package var write: @Sendable (_ descriptor: Int32, _ bytes: [UInt8]) -> Int = { descriptor, bytes in
        unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
    /// 0, or -1.
    package var sync: @Sendable (_ descriptor: Int32) -> Int32 = { Glibc.fsync($0) }
    /// 0, or -1.
    package var truncate: @Sendable (_ descriptor: Int32, _ length: Int) -> Int32 = { Glibc.ftruncate($0, off_t($1)) }

    package init() {}
}
