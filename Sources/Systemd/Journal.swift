import CSystemd
import Glibc

/// Sends structured messages to journald. Messages that it rejects are dropped: the ledger is authoritative.
package struct Journal: Sendable {
    /// Whether standard error is connected to the journal (`JOURNAL_STREAM` names its device and inode).
    package static var isConnected: Bool {
        guard let value = unsafe getenv("JOURNAL_STREAM") else { return false }
        return isStandardError(unsafe String(cString: value))
    }

    /// Whether standard error is the stream of this device and inode.
    package static func isStandardError(_ stream: String?) -> Bool {
        var status = stat()
        guard unsafe fstat(STDERR_FILENO, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }

    package init() {}

    /// `priority` as syslog's 0…7. Field names are upper case; values may hold any bytes. Fields with other names are
    /// left out, as are those beyond the 200th.
    package func send(message: String, priority: Int, messageID: String? = nil, fields: [(String, String)] = []) {
        var lines = ["MESSAGE=\(message)", "PRIORITY=\(min(max(priority, 0), 7))"]
        if let messageID { lines.append("MESSAGE_ID=\(messageID)") }
        lines += fields.prefix(200).filter { Self.isValid($0.0) }.map { "\($0.0)=\($0.1)" }
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for line in lines {
            bytes += line.utf8
            ends.append(bytes.count)
        }
        unsafe bytes.withUnsafeBytes { buffer in
            var start = 0
            guard let base = buffer.baseAddress else { return }
            var vectors: [csystemd_field] = unsafe []
            for end in ends {
                unsafe vectors.append(csystemd_field(bytes: base + start, length: end - start))
                start = end
            }
            _ = unsafe csystemd_journal_send(vectors, vectors.count)
        }
    }

    /// Whether journald accepts a field of this name from a client.
    static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, (1...64).contains(name.utf8.count) else { return false }
        return (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
            }
    }
}
