import FoundationEssentials

/// One of PyTorch's serialised unions: an object with a single key, which tells the kind.
struct Union {
    let kind: String
    private let container: KeyedDecodingContainer<Key>

    init(_ decoder: any Decoder) throws {
        container = try decoder.container(keyedBy: Key.self)
        guard container.allKeys.count == 1, let key = container.allKeys.first else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a union of one kind"))
        }
        kind = key.stringValue
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try container.decode(type, forKey: Key(kind))
    }
}

/// Any key of a JSON object.
struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
