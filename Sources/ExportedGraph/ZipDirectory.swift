internal import Files

/// Where a zip file's table of contents lies, told by the record at its end (and that of zip64 where it says so).
struct ZipDirectory: Hashable, Sendable {
    var offset: Int
    var size: Int
    var count: Int

    init(_ file: ReadableFile) throws(GraphError) {
        let tailSize = min(file.length, 22 + Int(UInt16.max))
        let tailOffset = file.length - tailSize
        let tail = try file.archived(at: tailOffset, count: tailSize)
        guard let end = Self.endRecord(tail) else {
            throw .malformed(path: file.path, reason: "no zip table of contents at its end")
        }
        var reader = LittleEndianReader(tail[(end + 10)...])
        guard let count = reader.number(UInt16.self), let size = reader.number(UInt32.self),
            let offset = reader.number(UInt32.self)
        else { throw .malformed(path: file.path, reason: "the record at its end is cut off") }
        if count == .max || size == .max || offset == .max {
            self = try Self.zip64(file, tail, tailOffset: tailOffset, end: end)
        } else {
            self.init(offset: Int(offset), size: Int(size), count: Int(count))
        }
        guard self.offset <= tailOffset + end, self.size <= tailOffset + end - self.offset else {
            throw .malformed(path: file.path, reason: "its table of contents lies beyond the end of the file")
        }
    }

    private init(offset: Int, size: Int, count: Int) {
        self.offset = offset
        self.size = size
        self.count = count
    }

    /// The last place where the end record's signature stands and its comment fits exactly.
    private static func endRecord(_ tail: [UInt8]) -> Int? {
        guard tail.count >= 22 else { return nil }
        return (0...tail.count - 22).reversed().first { start in
            tail[start] == 0x50 && tail[start + 1] == 0x4B && tail[start + 2] == 5 && tail[start + 3] == 6
                && start + 22 + Int(tail[start + 20]) + Int(tail[start + 21]) << 8 == tail.count
        }
    }

    private static func zip64(
        _ file: ReadableFile, _ tail: [UInt8], tailOffset: Int, end: Int
    ) throws(GraphError) -> ZipDirectory {
        guard end >= 20 else { throw .malformed(path: file.path, reason: "its zip64 record is missing") }
        var locator = LittleEndianReader(tail[(end - 20)...])
        guard locator.number(UInt32.self) == 0x0706_4B50, locator.skip(4) != nil,
            let position = locator.number(UInt64.self).flatMap({ Int(exactly: $0) }), position <= tailOffset + end
        else { throw .malformed(path: file.path, reason: "its zip64 record is missing") }
        var reader = LittleEndianReader(try file.archived(at: position, count: 56))
        guard reader.number(UInt32.self) == 0x0606_4B50, reader.skip(28) != nil,
            let count = reader.number(UInt64.self).flatMap({ Int(exactly: $0) }),
            let size = reader.number(UInt64.self).flatMap({ Int(exactly: $0) }),
            let offset = reader.number(UInt64.self).flatMap({ Int(exactly: $0) })
        else { throw .malformed(path: file.path, reason: "its zip64 record is damaged") }
        return ZipDirectory(offset: offset, size: size, count: count)
    }
}
