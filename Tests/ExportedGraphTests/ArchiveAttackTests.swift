import ExportedGraph
import Reliability
import Testing

/// Archives that nobody should trust: each is refused with a reason, and none traps.
@Suite struct ArchiveAttackTests {
    private static let tally = OutcomeCounter(
        attacks: "attack-archives", "a torch.export archive that is broken or hostile")

    /// Expects a refusal whose reason has this in it.
    private func expectRefusal(
        _ archive: HostileArchive, _ bytes: [UInt8]? = nil, for fragment: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let error = #expect(throws: GraphError.self, sourceLocation: sourceLocation) { try archive.read(bytes) }
        let isExpected = error.map { fragment.isEmpty || $0.description.contains(fragment) } == true
        #expect(isExpected, "\(error?.description ?? "accepted")", sourceLocation: sourceLocation)
        try Self.tally.note(refused: error != nil, asExpected: isExpected)
    }

    @Test func aWholeArchiveIsRead() throws {
        let graph = try HostileArchive().read()
        #expect(graph.signature.parameters.map(\.name) == ["w"])
        #expect(graph.signature.inputs.map(\.shape) == [[nil, 2]])
    }

    @Test func truncatedAnywhere() throws {
        let whole = HostileArchive().bytes
        for count in stride(from: 0, to: whole.count, by: 7) {
            try expectRefusal(HostileArchive(), Array(whole.prefix(count)), for: "")
        }
    }

    @Test func anyByteOfTheTableOfContentsChanged() throws {
        let whole = HostileArchive().bytes
        for position in (whole.count - 250)..<whole.count {
            var bytes = whole
            bytes[position] ^= 0xFF
            _ = try? HostileArchive().read(bytes)
            Self.tally.note("read or refused, one byte changed")
        }
        try Self.tally.write()
    }

    @Test func aFileThatIsNoZip() throws {
        try expectRefusal(HostileArchive(), Array("not a zip at all, but long enough to be one".utf8), for: "zip")
        try expectRefusal(HostileArchive(), [], for: "zip")
    }

    @Test func aMissingFileAndADirectory() {
        #expect(throws: GraphError.self) { try ExportedGraph(archive: "/nonexistent/graph.pt2") }
        #expect(throws: GraphError.self) { try ExportedGraph(archive: "/") }
    }

    @Test func aCompressedEntry() throws {
        var archive = HostileArchive()
        archive.entries[0].method = 8
        try expectRefusal(archive, for: "compressed")
    }

    @Test func anEncryptedEntry() throws {
        var archive = HostileArchive()
        archive.entries[0].flags = 1
        try expectRefusal(archive, for: "encrypted")
    }

    @Test func anEntryLargerThanTheFile() throws {
        var archive = HostileArchive()
        archive.entries[0].claimedSize = 0x7FFF_FFFF
        try expectRefusal(archive, for: "beyond the end")
    }

    @Test func anEntryThatUnpacksToMore() throws {
        var archive = HostileArchive()
        archive.entries[0].claimedPackedSize = 10
        try expectRefusal(archive, for: "do not agree")
    }

    @Test func anEntryThatBeginsBeyondTheEnd() throws {
        var archive = HostileArchive()
        archive.entries[0].claimedOffset = 0x7FFF_FFFF
        try expectRefusal(archive, for: "beyond the end")
    }

    @Test func anEntryThatBeginsInsideAnother() throws {
        var archive = HostileArchive()
        archive.entries[1].claimedOffset = 5
        try expectRefusal(archive, for: "does not begin")
    }

    @Test func zip64SizesBeyondAnyFile() throws {
        var archive = HostileArchive()
        archive.entries[0].claimedSize = .max
        archive.entries[0].extra = [1, 0, 16, 0] + [UInt8](repeating: 0xFF, count: 16)
        try expectRefusal(archive, for: "do not agree")
        archive.entries[0].extra =
            [1, 0, 16, 0] + [
                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F,
            ]
        try expectRefusal(archive, for: "beyond the end")
    }

    @Test func zip64SizesWithoutTheirField() throws {
        var archive = HostileArchive()
        archive.entries[0].claimedSize = .max
        try expectRefusal(archive, for: "do not agree")
    }

    @Test func moreEntriesThanThereAre() throws {
        var archive = HostileArchive()
        archive.claimedCount = 4
        try expectRefusal(archive, for: "damaged")
    }

    @Test func aTableOfContentsBeyondTheEnd() throws {
        var archive = HostileArchive()
        archive.claimedDirectoryOffset = 0x7FFF_FFFF
        try expectRefusal(archive, for: "beyond the end")
        archive = HostileArchive()
        archive.claimedDirectorySize = 0x7FFF_FFFF
        try expectRefusal(archive, for: "beyond the end")
        archive = HostileArchive()
        archive.claimedDirectoryOffset = .max
        try expectRefusal(archive, for: "zip64")
    }

    @Test func theSameEntryTwice() throws {
        var archive = HostileArchive()
        archive.entries.append(archive.entries[0])
        try expectRefusal(archive, for: "twice")
    }

    @Test func aCommentThatHoldsAnotherEndRecord() throws {
        var archive = HostileArchive()
        archive.comment = [0x50, 0x4B, 5, 6] + [UInt8](repeating: 0xFF, count: 18)
        #expect(try archive.read().signature.parameters.count == 1)
    }

    @Test func noModel() throws {
        var archive = HostileArchive()
        archive.entries.removeFirst()
        try expectRefusal(archive, for: "models/*.json")
    }

    @Test func twoModels() throws {
        var archive = HostileArchive()
        archive.entries.append(.init("g/models/other.json", "{}"))
        try expectRefusal(archive, for: "2 models")
    }

    @Test func bigEndianBytes() throws {
        var archive = HostileArchive()
        archive.entries[2].content = Array("big".utf8)
        try expectRefusal(archive, for: "byte order")
    }

    @Test(arguments: ["", "{", "[]", "null", "{}", #"{"schema_version":{"major":8}}"#, "\u{0}\u{1}"])
    func aModelThatIsNoModel(json: String) throws {
        try expectRefusal(HostileArchive(json), for: "g/models/model.json")
    }

    @Test func jsonNestedTooDeep() throws {
        let depth = 100_000
        let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        try expectRefusal(HostileArchive(deep), for: "g/models/model.json")
    }

    @Test func graphsNestedTooDeep() throws {
        var argument = #"{"as_int":1}"#
        for _ in 0..<40 {
            argument = """
                {"as_graph":{"name":"g","graph":{"inputs":[],"outputs":[],"tensor_values":{},"nodes":[\
                {"target":"t","inputs":[{"name":"","arg":\(argument)}],"outputs":[],"metadata":{}}]}}}
                """
        }
        try expectRefusal(HostileArchive(HostileArchive.model(argument)), for: "deep")
    }

    @Test func anotherSchema() throws {
        let model = HostileArchive.model().replacing(#""major":8"#, with: #""major":9"#)
        try expectRefusal(HostileArchive(model), for: "schema is version 9")
    }

    @Test func aSignatureThatDoesNotFitTheGraph() throws {
        let model = HostileArchive.model().replacing(#""inputs":[{"as_tensor":{"name":"p_w"}},"#, with: #""inputs":["#)
        try expectRefusal(HostileArchive(model), for: "signature")
    }

    @Test(arguments: ["token", "custom_obj"]) func inputsThatNothingCanRun(kind: String) throws {
        let model = HostileArchive.model().replacing(#""user_input""#, with: "\"\(kind)\"")
        try expectRefusal(HostileArchive(model), for: kind)
    }

    @Test(arguments: [
        #"{"as_int":99999999999999999999}"#, #"{"as_int":1.5}"#, #"{"as_float":"many"}"#, "{}",
        #"{"as_int":1,"as_none":true}"#, "7",
    ])
    func argumentsThatAreNone(argument: String) throws {
        try expectRefusal(HostileArchive(HostileArchive.model(argument)), for: "g/models/model.json")
    }
}
