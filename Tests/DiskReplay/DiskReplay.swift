/// Goes through a log and has at any moment what the disk would hold.
package struct DiskReplay {
    private let log: WriteLog
    /// Every entry before `done`.
    private var image = DiskImage()
    private var done = 0
    /// The same before the last flush, on which losses are counted.
    private var flushed = DiskImage()
    private var flushedEnd = 0

    package init(_ log: WriteLog) { self.log = log }

    /// The disk after a cut; cuts come in the order of their ends.
    package mutating func image(after cut: PowerCut) throws -> DiskImage {
        precondition(cut.end >= done, "cuts come in the order of their ends")
        while done < cut.end {
            if log.entries[done].isFlush { (flushed, flushedEnd) = (image, done) }
            try Self.apply(log.entries[done], of: log, to: &image)
            done += 1
        }
        guard !cut.lost.isEmpty else { return image }
        var partial = flushed
        for place in flushedEnd..<cut.end where !cut.lost.contains(place) {
            try Self.apply(log.entries[place], of: log, to: &partial)
        }
        return partial
    }

    private static func apply(_ entry: WriteLog.Entry, of log: WriteLog, to image: inout DiskImage) throws {
        switch entry.kind {
        case .write: image.write(try log.data(of: entry), at: entry.range.lowerBound)
        case .discard: image.clear(entry.range)
        case .mark: return
        }
    }
}
