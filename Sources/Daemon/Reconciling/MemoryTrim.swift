import Glibc

/// Gives freed memory back to the system after a burst (a replay, a scan, a merge's result), so that the idle daemon is
/// small.
enum MemoryTrim {
    private typealias Trim = @convention(c) (Int) -> Int32

    /// glibc's `malloc_trim`, which Swift's overlay does not import; found by name, absent elsewhere.
    private static let trim: Trim? = {
        guard let symbol = unsafe dlsym(nil, "malloc_trim") else { return nil }
        return unsafe unsafeBitCast(symbol, to: Trim.self)
    }()

    static func now() { _ = trim?(0) }
}
