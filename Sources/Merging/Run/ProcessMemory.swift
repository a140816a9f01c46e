internal import Files

/// Memory of this process as the kernel counts it.
package enum ProcessMemory {
    /// Largest resident set so far, in bytes; 0 where /proc is not there. Not from getrusage, whose maximum a process
    /// takes over from the process that started it.
    package static var peak: Int64 {
        guard let status = try? Durable.contents("/proc/self/status", limit: 1 << 16) else { return 0 }
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let kibibytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int64($0) }
        return (kibibytes ?? 0) * 1024
    }
}
