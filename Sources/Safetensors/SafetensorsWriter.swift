internal import Files

/// Writes a safetensors file front to back: header first, then each tensor's bytes in the order of the entries.
package final class SafetensorsWriter {
    /// Shape and type of a tensor to come.
    package struct Slot: Hashable, Sendable {
        package var name: String
        package var dtype: SafetensorsDType
        package var shape: [Int]

        package init(name: String, dtype: SafetensorsDType, shape: [Int]) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
        }
    }

    private let file: WritableFile
    private let total: Int64
    private var digest = Digest()

    /// Creates `path` (it must not exist) and writes the header, 8-byte aligned, metadata `{"format":"pt"}` where no
    /// other format is given. Room for the whole file is reserved, so that a full disk is an error here and not after
    /// an hour.
    package init(
        path: String, slots: [Slot], metadata: [String: String] = ["format": "pt"]
    ) throws(SafetensorsError) {
        let header = try Self.header(path: path, slots: slots, metadata: metadata)
        total = header.total
        do throws(FilesError) {
            file = try WritableFile(creating: path)
            try file.reserve(total)
            try file.append(header.bytes)
        } catch {
            throw .file(error)
        }
        digest.update(header.bytes)
    }

    /// Appends the next bytes; a tensor may come in pieces.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
        guard Int64(bytes.count) <= total - file.count else {
            throw .unwritable(path: file.path, reason: "more bytes came than were announced")
        }
        do throws(FilesError) { unsafe try file.append(bytes) } catch { throw .file(error) }
        unsafe digest.update(bytes)
    }

    /// Checks that every announced byte has come, closes, and returns length and SHA-256 (computed on the way). `sync`:
    /// also fsync, for files that no later `Durable.syncTree` covers.
    package func finish(sync: Bool = false) throws(SafetensorsError) -> (bytes: Int64, sha256: String) {
        guard file.count == total else {
            throw .unwritable(path: file.path, reason: "\(total - file.count) announced bytes have not come")
        }
        try SafetensorsError.wrapping { () throws(FilesError) in try file.finish(sync: sync) }
        return (total, digest.hexadecimal())
    }

    /// Most bytes that the header of a file takes: for itself, and for each tensor.
    static let headerLength: Int64 = 64
    static func headerLength(of slot: Slot) -> Int64 { Int64(line(slot, .max - 1..<(.max)).utf8.count) }

    /// What the header says of one tensor.
    private static func line(_ slot: Slot, _ bytes: Range<Int64>) -> String {
        let shape = slot.shape.map(String.init).joined(separator: ",")
        return ",\(JSONText.quoted(slot.name)):{\"dtype\":\"\(slot.dtype.rawValue)\",\"shape\":[\(shape)],"
            + "\"data_offsets\":[\(bytes.lowerBound),\(bytes.upperBound)]}"
    }

    /// Length prefix and header, and the length of the whole file.
    private static func header(
        path: String, slots: [Slot], metadata: [String: String]
    ) throws(SafetensorsError) -> (bytes: [UInt8], total: Int64) {
        var metadata = metadata
        if metadata["format"] == nil { metadata["format"] = "pt" }
        let pairs = metadata.sorted { $0.key < $1.key }.map {
            "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))"
        }
        var text = "{\"__metadata__\":{\(pairs.joined(separator: ","))}"
        var names: Set<String> = []
        var offset: Int64 = 0
        for slot in slots {
            if slot.name == "__metadata__" || !names.insert(slot.name).inserted {
                throw .unwritable(path: path, reason: "tensor \(quoted(slot.name)) comes twice")
            }
            if let reason = HeaderParser.objection(toName: slot.name) { throw .unwritable(path: path, reason: reason) }
            guard let length = HeaderParser.byteCount(slot.dtype, slot.shape), length <= Int64.max / 2 - offset else {
                throw .unwritable(path: path, reason: "tensor \(quoted(slot.name)) has an impossible shape")
            }
            text += line(slot, offset..<offset + length)
            offset += length
        }
        var json = Array((text + "}").utf8)
        json.append(contentsOf: repeatElement(0x20, count: (8 - json.count % 8) % 8))
        guard json.count <= HeaderParser.maximumLength, slots.count <= HeaderParser.maximumTensors else {
            throw .unwritable(path: path, reason: "too many tensors for one header; write shards")
        }
        let prefix = (0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) }
        return (prefix + json, 8 + Int64(json.count) + offset)
    }
}
