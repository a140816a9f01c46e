internal import Files

/// The table of contents of a zip file whose entries are stored, never compressed, as PyTorch writes them.
struct ZipArchive: Sendable {
    /// Where an entry's bytes lie in the file.
    struct Entry: Hashable, Sendable {
        var name: String
        var offset: Int
        var size: Int
    }

    let file: ReadableFile
    let entries: [String: Entry]

    private static let entryLimit = 200_000
    private static let directoryLimit = 64 << 20

    init(_ file: ReadableFile) throws(GraphError) {
        self.file = file
        let directory = try ZipDirectory(file)
        guard directory.count <= Self.entryLimit, directory.size <= Self.directoryLimit else {
            throw .malformed(path: file.path, reason: "its table of contents is too large")
        }
        var reader = LittleEndianReader(try file.archived(at: directory.offset, count: directory.size))
        var entries: [String: Entry] = [:]
        for _ in 0..<directory.count {
            let entry = try Self.entry(&reader, file)
            guard entries.updateValue(entry, forKey: entry.name) == nil else {
                throw .malformed(path: file.path, reason: "entry '\(entry.name)' is there twice")
            }
        }
        self.entries = entries
    }

    /// The bytes of an entry of at most `limit` bytes.
    func bytes(_ entry: Entry, limit: Int) throws(GraphError) -> [UInt8] {
        guard entry.size <= limit else {
            throw .malformed(path: file.path, reason: "entry '\(entry.name)' is larger than \(limit) bytes")
        }
        return try file.archived(at: entry.offset, count: entry.size)
    }

    /// One record of the central directory, with the sizes of zip64 where the short ones are full.
    private static func entry(_ reader: inout LittleEndianReader, _ file: ReadableFile) throws(GraphError) -> Entry {
        guard reader.number(UInt32.self) == 0x0201_4B50, reader.skip(4) != nil,
            let flags = reader.number(UInt16.self), let method = reader.number(UInt16.self), reader.skip(8) != nil,
            let shortPacked = reader.number(UInt32.self), let shortSize = reader.number(UInt32.self),
            let nameLength = reader.number(UInt16.self), let extraLength = reader.number(UInt16.self),
            let commentLength = reader.number(UInt16.self), reader.skip(8) != nil,
            let shortOffset = reader.number(UInt32.self), let nameBytes = reader.bytes(Int(nameLength)),
            let extra = reader.bytes(Int(extraLength)), reader.skip(Int(commentLength)) != nil,
            let name = String(validating: nameBytes, as: UTF8.self)
        else { throw .malformed(path: file.path, reason: "its table of contents is damaged") }
        guard flags & 1 == 0 else { throw .unsupported(path: file.path, reason: "entry '\(name)' is encrypted") }
        guard method == 0 else { throw .unsupported(path: file.path, reason: "entry '\(name)' is compressed") }
        var long = LittleEndianReader(zip64(extra))
        guard let size = widened(shortSize, &long), let packed = widened(shortPacked, &long),
            let header = widened(shortOffset, &long), size == packed
        else { throw .malformed(path: file.path, reason: "the sizes of entry '\(name)' do not agree") }
        let offset = try content(name, header: header, file)
        guard size <= file.length - offset else {
            throw .malformed(path: file.path, reason: "entry '\(name)' reaches beyond the end of the file")
        }
        return Entry(name: name, offset: offset, size: size)
    }

    /// Where the bytes begin behind the entry's own header.
    private static func content(_ name: String, header: Int, _ file: ReadableFile) throws(GraphError) -> Int {
        guard header <= file.length - 30 else {
            throw .malformed(path: file.path, reason: "entry '\(name)' lies beyond the end of the file")
        }
        var reader = LittleEndianReader(try file.archived(at: header, count: 30))
        guard reader.number(UInt32.self) == 0x0403_4B50, reader.skip(22) != nil,
            let nameLength = reader.number(UInt16.self), let extraLength = reader.number(UInt16.self)
        else { throw .malformed(path: file.path, reason: "entry '\(name)' does not begin where it should") }
        let offset = header + 30 + Int(nameLength) + Int(extraLength)
        guard offset <= file.length else {
            throw .malformed(path: file.path, reason: "entry '\(name)' lies beyond the end of the file")
        }
        return offset
    }

    /// The content of the zip64 field among the extra fields; empty where there is none.
    private static func zip64(_ extra: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var reader = LittleEndianReader(extra)
        while let kind = reader.number(UInt16.self), let length = reader.number(UInt16.self),
            let content = reader.bytes(Int(length))
        {
            if kind == 1 { return content }
        }
        return []
    }

    private static func widened(_ short: UInt32, _ long: inout LittleEndianReader) -> Int? {
        guard short == .max else { return Int(short) }
        return long.number(UInt64.self).flatMap { Int(exactly: $0) }
    }
}
