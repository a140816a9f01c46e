internal import Glibc

/// Memory of this process as the kernel counts it.
package enum ProcessMemory {
    /// Largest resident set so far, in bytes.
    package static var peak: Int64 {
        var usage = rusage()
        guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return Int64(usage.ru_maxrss) * 1024
    }
}
