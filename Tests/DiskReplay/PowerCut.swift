import Reliability

/// A moment at which the power may go, as a disk with a cache would leave it.
package struct PowerCut: Hashable {
    /// Entries of the log before this one were written or marked.
    package var end: Int
    /// Those of them that were still in the disk's cache, and are lost.
    package var lost: Set<Int>

    package init(end: Int, lost: Set<Int> = []) { (self.end, self.lost) = (end, lost) }

    /// The moments from entry `start` on: after each write and mark, which has every flush among them, and before each
    /// flush `losses` times with some of the writes lost that it would have made durable: each one alone where these
    /// are few, else at random from `seed`.
    package static func all(in entries: [WriteLog.Entry], from start: Int, losses: Int, seed: UInt64) -> [PowerCut] {
        var generator = SplitMix64(seed: seed)
        var cuts = [PowerCut(end: start)]
        var cached: [Int] = []
        for (place, entry) in entries.enumerated() {
            if entry.isFlush {
                if place >= start, cached.last.map({ $0 >= start }) == true {
                    for lost in some(of: cached, count: losses, &generator) {
                        cuts.append(PowerCut(end: place, lost: lost))
                    }
                }
                cached = []
            }
            if entry.kind == .discard || (entry.kind == .write && !entry.range.isEmpty && !entry.isForced) {
                cached.append(place)
            }
            let changes = !entry.range.isEmpty || entry.kind != .write
            if place >= start, changes { cuts.append(PowerCut(end: place + 1)) }
        }
        return cuts
    }

    private static func some(of cached: [Int], count: Int, _ generator: inout SplitMix64) -> [Set<Int>] {
        if cached.count <= count { return cached.map { [$0] } }
        var found: Set<Set<Int>> = []
        for _ in 0..<count {
            let lost = cached.filter { _ in Bool.random(using: &generator) }
            if !lost.isEmpty { found.insert(Set(lost)) }
        }
        return found.sorted { $0.sorted().lexicographicallyPrecedes($1.sorted()) }
    }
}
