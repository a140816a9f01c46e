import Files
import Reliability
import Safetensors
import Testing

@Suite struct HeaderAttackTests {
    let scratch: Scratch
    private static let tally = OutcomeCounter(
        attacks: "attack-headers", "a safetensors file with a hostile or broken header")

    init() throws { scratch = try Scratch() }

    /// Expects `malformed` with `fragment` in its reason.
    private func expectMalformed(
        _ header: String, data: Int = 8, _ fragment: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let path = try scratch.write(header: header, data: data)
        try expectMalformed(path: path, fragment, sourceLocation: sourceLocation)
    }

    private func expectMalformed(
        path: String, _ fragment: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let error = #expect(throws: SafetensorsError.self, sourceLocation: sourceLocation) {
            try SafetensorsFile(file: ReadableFile(path: path))
        }
        guard case .malformed(path, let reason)? = error else {
            Issue.record("not malformed: \(error.map { "\($0)" } ?? "accepted")", sourceLocation: sourceLocation)
            return try Self.tally.note(refused: error != nil, asExpected: false)
        }
        let isExpected = fragment.isEmpty || reason.contains(fragment)
        #expect(isExpected, "\(reason)", sourceLocation: sourceLocation)
        try Self.tally.note(refused: true, asExpected: isExpected)
        #expect(error?.description.contains("\n") == false, sourceLocation: sourceLocation)
    }

    private let a = Scratch.tensor("a", from: 0, count: 1)
    private let b = Scratch.tensor("b", from: 4, count: 1)

    @Test func wellFormed() throws {
        let path = try scratch.write(header: "{ \"__metadata__\" : {\"format\":\"pt\"}, \(b) ,\(a)}   ", data: 8)
        let file = try SafetensorsFile(file: ReadableFile(path: path))
        #expect(file.entries.map(\.name) == ["a", "b"])
        #expect(file.metadata == ["format": "pt"])
        #expect(file.entry("b")?.shape == [1])
        #expect(file.entry("c") == nil)
    }

    @Test func duplicateTensor() throws { try expectMalformed("{\(a),\(b),\(a)}", "duplicate tensor 'a'") }

    @Test func duplicateTensorHiddenByAnEscape() throws {
        try expectMalformed(
            "{\(a),\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "duplicate tensor")
    }

    @Test func duplicateKeyInsideATensor() throws {
        try expectMalformed(
            "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,8]}}", "twice")
    }

    @Test func secondMetadata() throws {
        try expectMalformed("{\"__metadata__\":{},\"__metadata__\":{},\(a),\(b)}", "second")
    }

    @Test func duplicateMetadataKey() throws {
        try expectMalformed("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"},\(a),\(b)}", "duplicate metadata")
    }

    @Test func metadataThatIsNoText() throws {
        try expectMalformed("{\"__metadata__\":{\"k\":1},\(a),\(b)}", "expected a string")
    }

    @Test func unknownField() throws {
        try expectMalformed(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"exec\":\"rm\"}}", "unknown field 'exec'")
    }

    @Test func missingField() throws { try expectMalformed("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "lacks") }

    @Test func unknownElementType() throws {
        try expectMalformed("{\"a\":{\"dtype\":\"F8_E5M2\",\"shape\":[8],\"data_offsets\":[0,8]}}", "'F8_E5M2'")
    }

    @Test func leadingWhiteSpace() throws { try expectMalformed(" {\(a),\(b)}", "begin with '{'") }

    @Test func textAfterTheHeader() throws {
        try expectMalformed("{\(a),\(b)} {}", "after the closing brace")
        try expectMalformed("{\(a),\(b)}\n", "after the closing brace")
    }

    @Test func holeBetweenTensors() throws {
        try expectMalformed("{\(a),\(Scratch.tensor("b", from: 8, count: 1))}", data: 12, "hole")
    }

    @Test func holeBeforeTheFirstTensor() throws { try expectMalformed("{\(b)}", "hole") }

    @Test func overlappingTensors() throws {
        try expectMalformed("{\(a),\(Scratch.tensor("b", from: 2, count: 1))}", data: 6, "overlaps")
        try expectMalformed("{\(a),\(Scratch.tensor("b", from: 0, count: 1))}", data: 4, "overlaps")
    }

    @Test func bytesAfterTheLastTensor() throws { try expectMalformed("{\(a)}", data: 5, "1 bytes follow") }

    @Test func offsetsBackwards() throws {
        try expectMalformed(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,4]}}", "impossible data_offsets")
    }

    @Test func threeOffsets() throws {
        try expectMalformed("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", "more than 2")
    }

    @Test(arguments: ["-1", "1.0", "1e3", "+1", "01", "\"1\"", "null", "[1]", "9223372036854775808", "0x10", ""])
    func shapeThatIsNoCount(axis: String) throws {
        try expectMalformed("{\"a\":{\"dtype\":\"F32\",\"shape\":[\(axis),2],\"data_offsets\":[0,8]}}", "")
    }

    @Test func shapeProductThatWrapsAround() throws {
        let half = "4294967296"
        try expectMalformed(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[\(half),\(half),4],\"data_offsets\":[0,0]}}", data: 0, "disagrees")
        try expectMalformed(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[\(half),\(half),0],\"data_offsets\":[0,0]}}", data: 0, "disagrees")
    }

    @Test func offsetsAtTheEndOfTheNumbers() throws {
        try expectMalformed(
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[9223372036854775807],\"data_offsets\":[0,9223372036854775807]}}",
            "impossible data_offsets")
    }

    @Test func shapeThatDisagreesWithTheOffsets() throws {
        try expectMalformed("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", "disagrees")
    }

    @Test func shapeOfAThousandAxes() throws {
        let ones = Array(repeating: "1", count: 1000).joined(separator: ",")
        try expectMalformed(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[\(ones)],\"data_offsets\":[0,4]}}", data: 4, "more than 64")
    }

    @Test(arguments: ["", "a\\u0000b", "a\\nb", "a\\u007fb", "../../etc/passwd", "a/../b", ".."])
    func hostileName(name: String) throws {
        try expectMalformed("{\"\(name)\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "name")
    }

    @Test func nameWithoutAnEnd() throws {
        let name = String(repeating: "a", count: 5000)
        try expectMalformed("{\(Scratch.tensor(name, from: 0, count: 2))}", "longer than 4096")
    }

    @Test(arguments: ["\\ud800", "\\udc00x", "\\ud800\\u0041", "\\x", "\\u12", "\\u+123", "\\", "a\u{1}b"])
    func brokenEscape(name: String) throws {
        try expectMalformed("{\(Scratch.tensor(name, from: 0, count: 2))}", "")
    }

    @Test func nameThatIsNotUTF8() throws {
        var header = Array("{\(Scratch.tensor("aX", from: 0, count: 2))}".utf8)
        header[3] = 0xFF
        try expectMalformed(path: scratch.write("x.safetensors", header: header, data: 8), "UTF-8")
    }

    @Test(arguments: [
        "{", "{}}", "{\"a\"", "{\"a\":", "{\"a\":{", "{,}", "[]", "{\"a\":{},}", "{\"a\" {}}", "\"\"", "{\"a\":[[[[",
    ])
    func brokenSyntax(header: String) throws { try expectMalformed(header, "") }

    @Test func nestingWithoutAnEnd() throws {
        try expectMalformed("{\"a\":" + String(repeating: "[", count: 100_000), "expected '{'")
    }

    @Test func headerAboveTheLimit() throws {
        let path = try scratch.write("x", header: Array("{}".utf8), data: 0, length: 100_000_001)
        try expectMalformed(path: path, "100000001")
        try expectMalformed(path: scratch.write("y", header: Array("{}".utf8), data: 0, length: .max), "claims")
    }

    @Test func emptyHeader() throws {
        try expectMalformed(path: scratch.write("x", bytes: [0, 0, 0, 0, 0, 0, 0, 0, 1]), "claims a header of 0")
    }

    @Test func moreTensorsThanAnyModelHas() throws {
        let tensors = (0...262_144).map { "\"\($0)\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}" }
        try expectMalformed("{\(tensors.joined(separator: ","))}", data: 0, "more than 262144 tensors")
    }

    @Test func everyTruncationIsSeen() throws {
        let header = Array("{\(a),\(b)}".utf8)
        let whole = try Durable.contents(scratch.write("x", header: header, data: 8))
        for count in 0..<whole.count {
            let path = try scratch.write("x", bytes: Array(whole[..<count]))
            let error = #expect(throws: SafetensorsError.self) {
                try SafetensorsFile(file: ReadableFile(path: path))
            }
            let isTruncated = if case .truncated? = error { true } else { false }
            #expect(isTruncated, "\(count) bytes: \(error.map { "\($0)" } ?? "accepted")")
            try Self.tally.note(refused: error != nil, asExpected: isTruncated)
        }
        let path = try scratch.write("x", bytes: whole)
        #expect(try SafetensorsFile(file: ReadableFile(path: path)).entries.count == 2)
    }

    /// Any byte of a header may be anything: refused or read, never a trap.
    @Test func everyByteReplaced() throws {
        let header = Array(
            "{\"__metadata__\":{\"format\":\"pt\"},\(a),\"b\\u00e9\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}"
                .utf8)
        for place in header.indices {
            for byte: UInt8 in [0, 0x20, 0x22, 0x2C, 0x2D, 0x30, 0x39, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0x80, 0xFF] {
                var changed = header
                changed[place] = byte
                let path = try scratch.write("x", header: changed, data: 8)
                let file = try? SafetensorsFile(file: ReadableFile(path: path))
                let isSound = file.map { $0.entries.count <= 2 } ?? true
                #expect(isSound)
                Self.tally.note(isSound ? "read or refused, one byte changed" : "not refused")
            }
        }
        try Self.tally.write()
    }
}
