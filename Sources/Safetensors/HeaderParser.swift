internal import Files

/// The header of a safetensors file, checked: the boundary between bytes that anyone may have sent and the rest.
///
/// Stricter than the reference parser: no duplicate names or keys, no unknown fields, no leading white space, no
/// control characters in names, no more than `maximumTensors`. One pass and a sort; about 200 bytes of memory per
/// tensor.
struct HeaderParser {
    /// Longest header in bytes, as the reference has it.
    static let maximumLength: UInt64 = 100_000_000
    /// Most tensors of one file. The largest published models have about 150,000 tensors in all their shards.
    static let maximumTensors = 262_144
    /// Most axes of one tensor; PyTorch itself has 64.
    static let maximumAxes = 64
    /// Longest name of a tensor in bytes.
    static let maximumName = 4096

    private(set) var entries: [TensorEntry] = []
    private(set) var metadata: [String: String] = [:]
    private var names: Set<String> = []

    /// Parses `header`, whose tensors' data begins at byte `dataStart` of the file.
    init(_ header: [UInt8], dataStart: Int64) throws(JSONCursor.Fault) {
        var cursor = JSONCursor(header)
        guard header.first == UInt8(ascii: "{") else { throw .init(reason: "the header does not begin with '{'") }
        var seenMetadata = false
        try cursor.object { (cursor, key) throws(JSONCursor.Fault) in
            if key == "__metadata__" {
                guard !seenMetadata else { throw cursor.fault("a second __metadata__") }
                seenMetadata = true
                try readMetadata(&cursor)
            } else {
                try readTensor(named: key, &cursor, dataStart: dataStart)
            }
        }
        cursor.skipSpaces()
        guard cursor.isAtEnd else { throw cursor.fault("something after the closing brace") }
        names = []
        try orderAndCheckOffsets(dataStart: dataStart)
    }

    /// `null` counts as no metadata, as in the reference library.
    private mutating func readMetadata(_ cursor: inout JSONCursor) throws(JSONCursor.Fault) {
        if try cursor.skipWord("null") { return }
        try cursor.object { (cursor, key) throws(JSONCursor.Fault) in
            let value = try cursor.string()
            guard metadata.updateValue(value, forKey: key) == nil else {
                throw cursor.fault("duplicate metadata key \(quoted(key))")
            }
        }
    }

    private mutating func readTensor(
        named name: String, _ cursor: inout JSONCursor, dataStart: Int64
    ) throws(JSONCursor.Fault) {
        if let reason = Self.objection(toName: name) { throw cursor.fault(reason) }
        guard entries.count < Self.maximumTensors else {
            throw cursor.fault("more than \(Self.maximumTensors) tensors")
        }
        guard names.insert(name).inserted else { throw cursor.fault("duplicate tensor \(quoted(name))") }
        var dtype: SafetensorsDType?
        var shape: [Int]?
        var offsets: [Int64]?
        try cursor.object { (cursor, key) throws(JSONCursor.Fault) in
            switch key {
            case "dtype" where dtype == nil:
                let text = try cursor.string()
                guard let known = SafetensorsDType(rawValue: text) else {
                    let isSmallFloat = ["F8", "F6", "F4"].contains { text.hasPrefix($0) }
                    throw cursor.fault(
                        "tensor \(quoted(name)) has the unsupported element type \(quoted(text))"
                            + (isSmallFloat ? ", which takes a cast to bf16," : ""))
                }
                dtype = known
            case "shape" where shape == nil:
                shape = try Self.integers(&cursor, atMost: Self.maximumAxes).map(Int.init)
            case "data_offsets" where offsets == nil:
                offsets = try Self.integers(&cursor, atMost: 2)
            case "dtype", "shape", "data_offsets":
                throw cursor.fault("tensor \(quoted(name)) has \(key) twice")
            default:
                throw cursor.fault("tensor \(quoted(name)) has the unknown field \(quoted(key))")
            }
        }
        guard let dtype, let shape, let offsets, offsets.count == 2 else {
            throw cursor.fault("tensor \(quoted(name)) lacks its dtype, shape or two data_offsets")
        }
        guard offsets[0] <= offsets[1], offsets[1] <= Int64.max - dataStart else {
            throw cursor.fault("tensor \(quoted(name)) has impossible data_offsets")
        }
        guard let length = Self.byteCount(dtype, shape), length == offsets[1] - offsets[0] else {
            throw cursor.fault("tensor \(quoted(name)) has a shape that disagrees with its data_offsets")
        }
        entries.append(
            TensorEntry(name: name, dtype: dtype, shape: shape, bytes: dataStart + offsets[0]..<dataStart + offsets[1]))
    }

    private mutating func orderAndCheckOffsets(dataStart: Int64) throws(JSONCursor.Fault) {
        entries.sort { ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound) }
        var end = dataStart
        for entry in entries {
            guard entry.bytes.lowerBound == end else {
                let what = entry.bytes.lowerBound < end ? "overlaps the one before it" : "leaves a hole before it"
                throw .init(reason: "tensor \(quoted(entry.name)) \(what)")
            }
            end = entry.bytes.upperBound
        }
    }

    private static func integers(_ cursor: inout JSONCursor, atMost limit: Int) throws(JSONCursor.Fault) -> [Int64] {
        var values: [Int64] = []
        try cursor.array { (cursor) throws(JSONCursor.Fault) in
            guard values.count < limit else { throw cursor.fault("more than \(limit) numbers in a list") }
            values.append(try cursor.integer())
        }
        return values
    }

    /// Bytes of a tensor; nil where they overflow 63 bits.
    static func byteCount(_ dtype: SafetensorsDType, _ shape: [Int]) -> Int64? {
        var count = Int64(dtype.byteCount)
        for axis in shape {
            let (product, overflowed) = count.multipliedReportingOverflow(by: Int64(axis))
            if overflowed || axis < 0 { return nil }
            count = product
        }
        return count
    }

    /// Why `name` can't name a tensor; nil where it can.
    static func objection(toName name: String) -> String? {
        if name.isEmpty { return "a tensor without a name" }
        if name.utf8.count > maximumName { return "a tensor name longer than \(maximumName) bytes" }
        if name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "a control character in tensor name \(quoted(name))"
        }
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if parts.contains(where: { $0.elementsEqual("..".utf8) }) {
            return "'..' as a path in tensor name \(quoted(name))"
        }
        return nil
    }
}

/// `text` for an error message: quoted, on one line, and short.
func quoted(_ text: String) -> String {
    let short = text.unicodeScalars.prefix(120)
    let visible = short.map { $0.properties.generalCategory == .control ? $0.escaped(asASCII: true) : String($0) }
    return "'\(visible.joined())\(short.count < text.unicodeScalars.count ? "…" : "")'"
}
