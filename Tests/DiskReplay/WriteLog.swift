import Foundation

/// What the kernel's dm-log-writes wrote down about a disk: every write, in an order in which they can have become
/// durable.
///
/// The log is a sector that describes it, and then for each entry a sector with four little-endian numbers (sector,
/// sectors, flags, length of a mark's text) and the data. A write is logged only when it cannot be lost any more: with
/// its own completion where it was forced (FUA), else just before the flush that made it durable. See the kernel's
/// Documentation/admin-guide/device-mapper/log-writes.rst.
package struct WriteLog {
    package enum Failure: Error, CustomStringConvertible {
        case notALog(path: String)
        case cut(path: String, entry: Int)

        package var description: String {
            switch self {
            case .notALog(let path): "\(path) holds no log of dm-log-writes"
            case .cut(let path, let entry): "\(path): the log ends in the middle of entry \(entry)"
            }
        }
    }

    /// One line of the log.
    package struct Entry: Equatable {
        package enum Kind: Equatable {
            case write, discard
            case mark(String)
        }

        package var kind: Kind
        /// Of the disk, in bytes; empty for a mark and for a flush alone.
        package var range: Range<Int>
        /// Where the data lie in the log.
        package var offset: Int
        /// Whether everything before it became durable with it.
        package var isFlush: Bool
        /// Whether it was durable itself when it was logged.
        package var isForced: Bool
    }

    package let entries: [Entry]
    private let file: FileHandle

    private static let magic: UInt64 = 0x6a_7366_7773_6872
    private static let flush: UInt64 = 1
    private static let forced: UInt64 = 2
    private static let discard: UInt64 = 4
    private static let mark: UInt64 = 8

    /// Reads the log at the beginning of `path`, a file or a disk, which stays open for the entries' data.
    package init(path: String) throws {
        file = try FileHandle(forReadingFrom: URL(filePath: path))
        let head = try Self.read(file, at: 0, count: 512)
        let sector = head.count == 512 ? Int(Self.number(head, 3) & 0xFFFF_FFFF) : 0
        guard head.count == 512, Self.number(head, 0) == Self.magic, Self.number(head, 1) == 1, sector >= 512,
            let count = Int(exactly: Self.number(head, 2))
        else { throw Failure.notALog(path: path) }
        var entries: [Entry] = []
        var offset = sector
        for number in 0..<count {
            let line = try Self.read(file, at: offset, count: sector)
            guard line.count == sector, let entry = Self.entry(line, offset: offset + sector, sector: sector) else {
                throw Failure.cut(path: path, entry: number)
            }
            entries.append(entry)
            offset += sector + (entry.kind == .write ? entry.range.count : 0)
        }
        self.entries = entries
    }

    /// The bytes of a write.
    package func data(of entry: Entry) throws -> Data {
        try Self.read(file, at: entry.offset, count: entry.range.count)
    }

    /// Where a mark stands.
    package func place(ofMark name: String) -> Int? { entries.firstIndex { $0.kind == .mark(name) } }

    private static func entry(_ line: Data, offset: Int, sector: Int) -> Entry? {
        let (flags, length) = (number(line, 2), number(line, 3))
        guard let start = Int(exactly: number(line, 0)), let count = Int(exactly: number(line, 1)),
            max(start, count) < 1 << 40
        else { return nil }
        var kind = flags & discard != 0 ? Entry.Kind.discard : .write
        if flags & mark != 0 {
            guard length <= sector - 32 else { return nil }
            let text = line.dropFirst(32).prefix(Int(length)).prefix { $0 != 0 }
            kind = .mark(String(decoding: text, as: UTF8.self))
        }
        return Entry(
            kind: kind, range: start * sector..<(start + count) * sector, offset: offset, isFlush: flags & flush != 0,
            isForced: flags & forced != 0)
    }

    private static func number(_ bytes: Data, _ place: Int) -> UInt64 {
        bytes.dropFirst(8 * place).prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func read(_ file: FileHandle, at offset: Int, count: Int) throws -> Data {
        guard count > 0 else { return Data() }
        try file.seek(toOffset: UInt64(offset))
        return try file.read(upToCount: count) ?? Data()
    }
}
