import Files
import Glibc

/// Gives memory back to the system after a burst (start, a replay, a scan, a merge's result), so that the idle daemon
/// is small: freed heap, and the pages of code that only the burst has run. What is needed again comes from the page
/// cache.
enum MemoryTrim {
    private typealias Trim = @convention(c) (Int) -> Int32

    /// glibc's `malloc_trim`, which Swift's overlay does not import; found by name, absent elsewhere.
    private static let trim: Trim? = {
        guard let symbol = unsafe dlsym(nil, "malloc_trim") else { return nil }
        return unsafe unsafeBitCast(symbol, to: Trim.self)
    }()

    static func now() {
        _ = trim?(0)
        guard let maps = try? Durable.contents("/proc/self/maps", limit: 4 << 20) else { return }
        for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") {
            guard let range = codeRange(line), let start = unsafe UnsafeMutableRawPointer(bitPattern: range.lowerBound)
            else { continue }
            _ = unsafe madvise(start, range.count, MADV_DONTNEED)
        }
    }

    /// The addresses of a mapping of code from a file. Only these: nobody ever writes to them, so that dropping them
    /// loses nothing, where a private read-only mapping may hold relocations.
    static func codeRange(_ line: some StringProtocol) -> Range<UInt>? {
        let fields = line.split(separator: " ")
        guard fields.count >= 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { return nil }
        let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
        return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
    }
}
