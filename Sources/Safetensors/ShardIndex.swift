internal import Files

/// The content of `model.safetensors.index.json`: which shard holds which tensor.
struct ShardIndex {
    static let fileName = "model.safetensors.index.json"
    static let singleName = "model.safetensors"
    /// Longest index in bytes.
    static let maximumLength = 128 << 20
    static let maximumTensors = 2_097_152

    private(set) var weightMap: [String: String] = [:]
    /// Sorted names of the shards.
    private(set) var shards: [String] = []

    init(_ bytes: [UInt8]) throws(JSONCursor.Fault) {
        var cursor = JSONCursor(bytes, allowsNonFinite: true)
        var keys: Set<String> = []
        try cursor.object { (cursor, key) throws(JSONCursor.Fault) in
            guard keys.insert(key).inserted else { throw cursor.fault("\(quoted(key)) twice") }
            if key == "weight_map" {
                try readWeightMap(&cursor)
            } else {
                try cursor.skipValue()
            }
        }
        try cursor.expectEnd()
        guard !weightMap.isEmpty else { throw .init(reason: "the index has no weight_map") }
        shards = Set(weightMap.values).sorted()
    }

    private mutating func readWeightMap(_ cursor: inout JSONCursor) throws(JSONCursor.Fault) {
        try cursor.object { (cursor, name) throws(JSONCursor.Fault) in
            if let reason = HeaderParser.objection(toName: name) { throw cursor.fault(reason) }
            let shard = try cursor.string()
            guard Self.isShardName(shard) else {
                throw cursor.fault("shard \(quoted(shard)) is not a plain file name ending in .safetensors")
            }
            guard weightMap.count < Self.maximumTensors else { throw cursor.fault("too many tensors") }
            guard weightMap.updateValue(shard, forKey: name) == nil else {
                throw cursor.fault("duplicate tensor \(quoted(name))")
            }
        }
    }

    private static func isShardName(_ name: String) -> Bool {
        name.ends(in: ".safetensors") && name.utf8.first != UInt8(ascii: ".") && name.utf8.count <= 255
            && !name.unicodeScalars.contains { $0 == "/" || $0.properties.generalCategory == .control }
    }
}
