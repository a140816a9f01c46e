import Foundation
import Testing
import WorkerProtocol

@testable import Tasks

@Suite struct UploadReaderTests {
    let registry: TestRegistry

    init() throws {
        registry = try TestRegistry()
        try registry.write("base/config.json", Array("{}".utf8))
    }

    private func reader() throws -> UploadReader {
        let place = UploadLocation(root: registry.root, relative: "base")
        return UploadReader(listing: try place.listing(inBase: true), memory: FileMemory())
    }

    /// Every rule that asks for a configuration gets what the first one read, also through copies of the reader.
    @Test func aSmallFileIsReadOnce() throws {
        let reader = try reader()
        let copy = reader
        #expect(try reader.contentsIfPresent("config.json") == Array("{}".utf8))
        try FileManager.default.removeItem(atPath: registry.root + "/base/config.json")
        #expect(try copy.contentsIfPresent("config.json") == Array("{}".utf8))
        #expect(try CompanionCheck.bytes("config.json", copy) == Array("{}".utf8))
    }

    @Test func anotherListingReadsAgain() throws {
        _ = try reader().contentsIfPresent("config.json")
        try registry.write("base/config.json", Array("{\"a\": 1}".utf8))
        #expect(try reader().contentsIfPresent("config.json") == Array("{\"a\": 1}".utf8))
    }

    @Test func aShorterLimitHoldsForWhatWasRead() throws {
        let reader = try reader()
        _ = try reader.contentsIfPresent("config.json")
        #expect(throws: AdmissionFault.self) { try reader.contents("config.json", limit: 1) }
    }
}
