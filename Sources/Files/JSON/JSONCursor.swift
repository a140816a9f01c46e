/// The one scanner of JSON text (RFC 8259), front to back, for a parser that knows what must come next.
///
/// Tokens are Python's: `json.loads` accepts what this accepts, and reads the same. Not accepted although Python does:
/// half a surrogate pair, which no Swift string holds, and values nested more than `maximumDepth` deep. `NaN`,
/// `Infinity` and
/// `-Infinity` are numbers where `allowsNonFinite` says so. What a repeated key means is the caller's affair.
package struct JSONCursor {
    /// What is wrong with the text, and where.
    package struct Fault: Error, Hashable {
        package var reason: String
        /// Whether the text simply stopped, as that of a file still arriving does.
        package var endsEarly = false
        /// Bytes before the fault.
        package var offset = 0

        package init(reason: String, endsEarly: Bool = false, offset: Int = 0) {
            self.reason = reason
            self.endsEarly = endsEarly
            self.offset = offset
        }
    }

    /// Nested lists and objects of one text; deeper is refused, so that no stack runs out.
    package static let maximumDepth = 64

    /// Whether `NaN`, `Infinity` and `-Infinity` are numbers, as Python writes and reads them.
    let allowsNonFinite: Bool
    let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    package init(_ bytes: some Sequence<UInt8>, allowsNonFinite: Bool = false) {
        self.init(Array(bytes)[...], allowsNonFinite: allowsNonFinite)
    }

    package init(_ bytes: ArraySlice<UInt8>, allowsNonFinite: Bool = false) {
        self.bytes = bytes
        self.allowsNonFinite = allowsNonFinite
        position = bytes.startIndex
    }

    package var isAtEnd: Bool { position == bytes.endIndex }

    /// A fault at the present byte.
    package func fault(_ reason: String) -> Fault {
        Fault(
            reason: "\(reason) at byte \(position - bytes.startIndex) of the JSON", endsEarly: isAtEnd,
            offset: position - bytes.startIndex)
    }

    /// The next byte after white space, not consumed.
    package mutating func peek() throws(Fault) -> UInt8 {
        skipWhiteSpace()
        guard !isAtEnd else { throw fault("the text ends too early") }
        return bytes[position]
    }

    /// Consumes white space.
    package mutating func skipWhiteSpace() {
        while position < bytes.endIndex {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position += 1
        }
    }

    /// Consumes padding spaces.
    package mutating func skipSpaces() {
        while position < bytes.endIndex, bytes[position] == 0x20 { position += 1 }
    }

    /// Checks that nothing but white space follows.
    package mutating func expectEnd() throws(Fault) {
        skipWhiteSpace()
        guard isAtEnd else { throw fault("something follows the JSON value") }
    }

    /// Consumes `character` after white space, if it is next.
    package mutating func skip(_ character: Unicode.Scalar) throws(Fault) -> Bool {
        guard try peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Consumes a word such as `null` after white space, if it is next.
    package mutating func skipWord(_ word: String) throws(Fault) -> Bool {
        _ = try peek()
        let letters = Array(word.utf8)
        guard bytes[position...].starts(with: letters) else { return false }
        position += letters.count
        return true
    }

    package mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
        guard try skip(character) else { throw fault("expected '\(character)'") }
    }

    /// Calls `member` after each key of an object; it must consume the value.
    package mutating func object(_ member: (inout JSONCursor, String) throws(Fault) -> Void) throws(Fault) {
        try expect("{")
        if try skip("}") { return }
        repeat {
            let key = try string()
            try expect(":")
            try member(&self, key)
        } while try skip(",")
        try expect("}")
    }

    /// Calls `element` at each element of an array; it must consume the value.
    package mutating func array(_ element: (inout JSONCursor) throws(Fault) -> Void) throws(Fault) {
        try expect("[")
        if try skip("]") { return }
        repeat { try element(&self) } while try skip(",")
        try expect("]")
    }

    /// Consumes any value, nested at most `depth` deep, and calls `key` for each key in it at any depth.
    package mutating func skipValue(
        depth: Int = Self.maximumDepth, _ key: (String) throws(Fault) -> Void = { _ in }
    ) throws(Fault) {
        guard depth > 0 else { throw fault("values nested more than \(Self.maximumDepth) deep") }
        switch try peek() {
        case UInt8(ascii: "{"):
            try object { (cursor, name) throws(Fault) in
                try key(name)
                try cursor.skipValue(depth: depth - 1, key)
            }
        case UInt8(ascii: "["):
            try array { (cursor) throws(Fault) in try cursor.skipValue(depth: depth - 1, key) }
        case UInt8(ascii: "\""): _ = try string()
        default: _ = try scalar()
        }
    }

    /// The next byte, consumed; nil at the end.
    mutating func take() -> UInt8? {
        guard position < bytes.endIndex else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    /// Consumes `text` where it is next, to the letter.
    mutating func take(_ text: StaticString) -> Bool {
        let word = Array(text.description.utf8)
        guard bytes[position...].starts(with: word) else { return false }
        position += word.count
        return true
    }

    /// Consumes the bytes that satisfy `isWanted` and returns where they are.
    mutating func take(while isWanted: (UInt8) -> Bool) -> Range<Int> {
        let start = position
        while position < bytes.endIndex, isWanted(bytes[position]) { position += 1 }
        return start..<position
    }
}
