package import Files

/// A safetensors file whose header has been checked: offsets contiguous, names unique, last offset = end of file.
package final class SafetensorsFile: Sendable {
    package let file: ReadableFile
    /// In the order of their bytes.
    package let entries: [TensorEntry]
    package let metadata: [String: String]
    private let places: [String: Int]

    /// Throws `SafetensorsError`; memory is bounded by the header, which is at most 100,000,000 bytes and 262,144
    /// tensors.
    package init(file: ReadableFile) throws(SafetensorsError) {
        let header = try Self.header(of: file)
        let dataStart = 8 + Int64(header.count)
        let parser: HeaderParser
        do throws(JSONCursor.Fault) {
            parser = try HeaderParser(header, dataStart: dataStart)
        } catch {
            throw .malformed(path: file.path, reason: error.reason)
        }
        let end = parser.entries.last?.bytes.upperBound ?? dataStart
        if file.size < end {
            throw .truncated(path: file.path, reason: "\(file.size) of \(end) bytes are there")
        }
        guard file.size == end else {
            throw .malformed(path: file.path, reason: "\(file.size - end) bytes follow the last tensor")
        }
        self.file = file
        entries = parser.entries
        metadata = parser.metadata
        places = Dictionary(uniqueKeysWithValues: parser.entries.indices.map { (parser.entries[$0].name, $0) })
    }

    /// Tensors that lie as plain bytes in a file of another format, for example the weights of an archive. Their ranges
    /// may overlap, and are checked against shape and file.
    package init(file: ReadableFile, entries: [TensorEntry]) throws(SafetensorsError) {
        var places: [String: Int] = [:]
        for (place, entry) in entries.enumerated() {
            guard entry.bytes.lowerBound >= 0, entry.bytes.upperBound <= file.size,
                HeaderParser.byteCount(entry.dtype, entry.shape) == Int64(entry.bytes.count),
                places.updateValue(place, forKey: entry.name) == nil
            else {
                throw .malformed(path: file.path, reason: "tensor \(quoted(entry.name)) has an impossible place")
            }
        }
        self.file = file
        self.entries = entries
        metadata = [:]
        self.places = places
    }

    /// The entry called `name`; nil where there is none.
    package func entry(_ name: String) -> TensorEntry? { places[name].map { entries[$0] } }

    /// Fills `buffer` with bytes of tensor `entry`, beginning `offset` bytes into the tensor. Reading past the tensor's
    /// end is an error: who asks may expect the shape of another file.
    package func read(
        _ entry: TensorEntry, at offset: Int64 = 0, into buffer: UnsafeMutableRawBufferPointer
    ) throws(SafetensorsError) {
        let length = Int64(entry.bytes.count)
        guard offset >= 0, offset <= length, Int64(buffer.count) <= length - offset else {
            throw .malformed(
                path: file.path,
                reason: "tensor \(quoted(entry.name)) has \(length) bytes, fewer than its place in the model takes")
        }
        do throws(FilesError) {
            unsafe try file.read(into: buffer, at: entry.bytes.lowerBound + offset)
        } catch {
            throw .file(error)
        }
    }

    /// The bytes of the header, without the length before them.
    private static func header(of file: ReadableFile) throws(SafetensorsError) -> [UInt8] {
        guard file.size >= 8 else {
            throw .truncated(path: file.path, reason: "\(file.size) bytes can't hold a header")
        }
        let prefix = try SafetensorsError.wrapping { () throws(FilesError) in try file.bytes(at: 0, count: 8) }
        let length = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= HeaderParser.maximumLength else {
            throw .malformed(
                path: file.path, reason: "it claims a header of \(length) bytes, above \(HeaderParser.maximumLength)")
        }
        guard length >= 2 else { throw .malformed(path: file.path, reason: "it claims a header of \(length) bytes") }
        guard Int64(length) <= file.size - 8 else {
            throw .truncated(path: file.path, reason: "\(file.size) bytes can't hold a header of \(length) bytes")
        }
        return try SafetensorsError.wrapping { () throws(FilesError) in try file.bytes(at: 8, count: Int(length)) }
    }
}
