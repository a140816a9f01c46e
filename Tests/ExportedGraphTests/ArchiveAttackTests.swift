import ExportedGraph
import Testing

/// Archives that nobody should trust: each is refused with a reason, and none traps.
@Suite struct ArchiveAttackTests {
    /// The reason for which the archive is refused; fails where it is taken.
    private func refusal(_ archive: HostileArchive, _ bytes: [UInt8]? = nil) throws -> String {
        let error = try #require(throws: GraphError.self) { try archive.read(bytes) }
        return error.description
    }

    @Test func aWholeArchiveIsRead() throws {
        let graph = try HostileArchive().read()
        #expect(graph.signature.parameters.map(\.name) == ["w"])
        #expect(graph.signature.inputs.map(\.shape) == [[nil, 2]])
    }

    @Test func truncatedAnywhere() throws {
        let whole = HostileArchive().bytes
        for count in stride(from: 0, to: whole.count, by: 7) {
            #expect(throws: GraphError.self) { try HostileArchive().read(Array(whole.prefix(count))) }
        }
    }

    @Test func anyByteOfTheTableOfContentsChanged() throws {
        let whole = HostileArchive().bytes
        for position in (whole.count - 250)..<whole.count {
            var bytes = whole
            bytes[position] ^= 0xFF
            _ = try? HostileArchive().read(bytes)
        }
    }

    @Test func aFileThatIsNoZip() throws {
        #expect(
            try refusal(HostileArchive(), Array("not a zip at all, but long enough to be one".utf8)).contains("zip"))
        #expect(try refusal(HostileArchive(), []).contains("zip"))
    }

    @Test func aMissingFileAndADirectory() {
        #expect(throws: GraphError.self) { try ExportedGraph(archive: "/nonexistent/graph.pt2") }
        #expect(throws: GraphError.self) { try ExportedGraph(archive: "/") }
    }

    @Test func aCompressedEntry() throws {
        var archive = HostileArchive()
        archive.entries[0].method = 8
        #expect(try refusal(archive).contains("compressed"))
    }

    @Test func anEncryptedEntry() throws {
        var archive = HostileArchive()
        archive.entries[0].flags = 1
        #expect(try refusal(archive).contains("encrypted"))
    }

    @Test func anEntryLargerThanTheFile() throws {
        var archive = HostileArchive()
        archive.entries[0].claimedSize = 0x7FFF_FFFF
        #expect(try refusal(archive).contains("beyond the end"))
    }

    @Test func anEntryThatUnpacksToMore() throws {
        var archive = HostileArchive()
        archive.entries[0].claimedPackedSize = 10
        #expect(try refusal(archive).contains("do not agree"))
    }

    @Test func anEntryThatBeginsBeyondTheEnd() throws {
        var archive = HostileArchive()
        archive.entries[0].claimedOffset = 0x7FFF_FFFF
        #expect(try refusal(archive).contains("beyond the end"))
    }

    @Test func anEntryThatBeginsInsideAnother() throws {
        var archive = HostileArchive()
        archive.entries[1].claimedOffset = 5
        #expect(try refusal(archive).contains("does not begin"))
    }

    @Test func zip64SizesBeyondAnyFile() throws {
        var archive = HostileArchive()
        archive.entries[0].claimedSize = .max
        archive.entries[0].extra = [1, 0, 16, 0] + [UInt8](repeating: 0xFF, count: 16)
        #expect(try refusal(archive).contains("do not agree"))
        archive.entries[0].extra =
            [1, 0, 16, 0] + [
                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F,
            ]
        #expect(try refusal(archive).contains("beyond the end"))
    }

    @Test func zip64SizesWithoutTheirField() throws {
        var archive = HostileArchive()
        archive.entries[0].claimedSize = .max
        #expect(try refusal(archive).contains("do not agree"))
    }

    @Test func moreEntriesThanThereAre() throws {
        var archive = HostileArchive()
        archive.claimedCount = 4
        #expect(try refusal(archive).contains("damaged"))
    }

    @Test func aTableOfContentsBeyondTheEnd() throws {
        var archive = HostileArchive()
        archive.claimedDirectoryOffset = 0x7FFF_FFFF
        #expect(try refusal(archive).contains("beyond the end"))
        archive = HostileArchive()
        archive.claimedDirectorySize = 0x7FFF_FFFF
        #expect(try refusal(archive).contains("beyond the end"))
        archive = HostileArchive()
        archive.claimedDirectoryOffset = .max
        #expect(try refusal(archive).contains("zip64"))
    }

    @Test func theSameEntryTwice() throws {
        var archive = HostileArchive()
        archive.entries.append(archive.entries[0])
        #expect(try refusal(archive).contains("twice"))
    }

    @Test func aCommentThatHoldsAnotherEndRecord() throws {
        var archive = HostileArchive()
        archive.comment = [0x50, 0x4B, 5, 6] + [UInt8](repeating: 0xFF, count: 18)
        #expect(try archive.read().signature.parameters.count == 1)
    }

    @Test func noModel() throws {
        var archive = HostileArchive()
        archive.entries.removeFirst()
        #expect(try refusal(archive).contains("models/*.json"))
    }

    @Test func twoModels() throws {
        var archive = HostileArchive()
        archive.entries.append(.init("g/models/other.json", "{}"))
        #expect(try refusal(archive).contains("2 models"))
    }

    @Test func bigEndianBytes() throws {
        var archive = HostileArchive()
        archive.entries[2].content = Array("big".utf8)
        #expect(try refusal(archive).contains("byte order"))
    }

    @Test(arguments: ["", "{", "[]", "null", "{}", #"{"schema_version":{"major":8}}"#, "\u{0}\u{1}"])
    func aModelThatIsNoModel(json: String) throws {
        #expect(try refusal(HostileArchive(json)).contains("g/models/model.json"))
    }

    @Test func jsonNestedTooDeep() throws {
        let depth = 100_000
        let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect(try refusal(HostileArchive(deep)).contains("g/models/model.json"))
    }

    @Test func graphsNestedTooDeep() throws {
        var argument = #"{"as_int":1}"#
        for _ in 0..<40 {
            argument = """
                {"as_graph":{"name":"g","graph":{"inputs":[],"outputs":[],"tensor_values":{},"nodes":[\
                {"target":"t","inputs":[{"name":"","arg":\(argument)}],"outputs":[],"metadata":{}}]}}}
                """
        }
        #expect(try refusal(HostileArchive(HostileArchive.model(argument))).contains("too deep"))
    }

    @Test func anotherSchema() throws {
        let model = HostileArchive.model().replacing(#""major":8"#, with: #""major":9"#)
        #expect(try refusal(HostileArchive(model)).contains("schema is version 9"))
    }

    @Test func aSignatureThatDoesNotFitTheGraph() throws {
        let model = HostileArchive.model().replacing(#""inputs":[{"as_tensor":{"name":"p_w"}},"#, with: #""inputs":["#)
        #expect(try refusal(HostileArchive(model)).contains("signature"))
    }

    @Test(arguments: ["token", "custom_obj"]) func inputsThatNothingCanRun(kind: String) throws {
        let model = HostileArchive.model().replacing(#""user_input""#, with: "\"\(kind)\"")
        #expect(try refusal(HostileArchive(model)).contains(kind))
    }

    @Test(arguments: [
        #"{"as_int":99999999999999999999}"#, #"{"as_int":1.5}"#, #"{"as_float":"many"}"#, "{}",
        #"{"as_int":1,"as_none":true}"#, "7",
    ])
    func argumentsThatAreNone(argument: String) throws {
        #expect(try refusal(HostileArchive(HostileArchive.model(argument))).contains("g/models/model.json"))
    }
}
