internal import Files

/// The parts of tokenizer.json as they stand there: vocabulary and merges by their bytes, the rest as JSON values.
struct TokenizerFile {
    /// Members but `model`.
    var members: [String: JSONValue] = [:]
    /// Members of `model` but `vocab` and `merges`.
    var model: [String: JSONValue] = [:]
    /// Token → id, of an object; or token and score, of a list (Unigram).
    var vocabulary = Vocabulary()
    var pieces: [(token: [UInt8], score: Double)] = []
    var merges: [(left: [UInt8], right: [UInt8])] = []

    /// Ids are below it; no model has as many.
    static let largestID = 1 << 24

    init(_ bytes: some Sequence<UInt8>) throws(TokenizerError) {
        do {
            var cursor = JSONCursor(bytes, allowsNonFinite: true)
            var file = TokenizerFile()
            try cursor.object { (cursor, key) throws(JSONCursor.Fault) in
                if key == "model" {
                    try file.readModel(&cursor)
                } else {
                    file.members[key] = try cursor.value(.python)
                }
            }
            try cursor.expectEnd()
            self = file
        } catch {
            throw .malformed(error.reason)
        }
    }

    private init() {}

    private mutating func readModel(_ cursor: inout JSONCursor) throws(JSONCursor.Fault) {
        var file = self
        try cursor.object { (cursor, key) throws(JSONCursor.Fault) in
            switch key {
            case "vocab" where try cursor.peek() == UInt8(ascii: "{"):
                file.vocabulary.reserve(1 << 15)
                try cursor.object { (cursor, token) throws(JSONCursor.Fault) in
                    let id = try cursor.integer()
                    guard id < Self.largestID else { throw cursor.fault("token id \(id) above \(Self.largestID)") }
                    file.vocabulary.insert(token.utf8, id: Int(id))
                }
            case "vocab":
                try cursor.array { (cursor) throws(JSONCursor.Fault) in
                    try cursor.expect("[")
                    let token = Array(try cursor.string().utf8)
                    try cursor.expect(",")
                    let score = Self.number(try cursor.scalar())
                    try cursor.expect("]")
                    guard let score, score.isFinite else {
                        throw cursor.fault("expected a token and its score, a finite number")
                    }
                    file.pieces.append((token, score))
                }
            case "merges":
                try cursor.array { (cursor) throws(JSONCursor.Fault) in file.merges.append(try Self.merge(&cursor)) }
            default: file.model[key] = try cursor.value(.python)
            }
        }
        self = file
    }

    /// `"a b"`, or `["a", "b"]`.
    private static func merge(_ cursor: inout JSONCursor) throws(JSONCursor.Fault) -> (left: [UInt8], right: [UInt8]) {
        if try cursor.skip("[") {
            let left = Array(try cursor.string().utf8)
            try cursor.expect(",")
            let right = Array(try cursor.string().utf8)
            try cursor.expect("]")
            return (left, right)
        }
        let words = try cursor.string().utf8.split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init)
        guard words.count == 2 else { throw cursor.fault("expected a merge of two tokens") }
        return (words[0], words[1])
    }

    private static func number(_ value: JSONValue) -> Double? {
        switch value {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
