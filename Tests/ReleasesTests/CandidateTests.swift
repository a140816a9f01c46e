import Files
import Foundation
import Safetensors
import Testing
import WorkerProtocol

@testable import Releases

/// Candidates and bases that must not become a release.
@Suite struct CandidateTests {
    let deployment: Deployment
    var store: ReleaseStore { deployment.store }

    init() throws {
        deployment = try Deployment()
        _ = try deployment.store.recover()
        try deployment.publish()
    }

    /// Stages a candidate, spoils it, and expects that publishing it changes nothing.
    private func expectRefusal(
        _ fragment: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ spoil: (String, inout ReleaseRecord) throws -> Void
    ) throws {
        var (staging, record) = try deployment.stage("next", value: 9)
        try spoil(staging, &record)
        let error = #expect(throws: (any Error).self, sourceLocation: sourceLocation) {
            try store.publish(staging: staging, baseDirectory: deployment.base, record: record)
        }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(fragment), sourceLocation: sourceLocation)
        #expect(!text.contains("\n"), sourceLocation: sourceLocation)
        #expect(try Durable.list(store.stagings) == [], sourceLocation: sourceLocation)
        #expect(try store.releases().map(\.version) == [1], sourceLocation: sourceLocation)
        #expect(try store.current()?.version == 1, sourceLocation: sourceLocation)
        #expect(try deployment.store.verify(1) == [], sourceLocation: sourceLocation)
    }

    @Test func configurationThatNamesCode() throws {
        try deployment.write("base/config.json", #"{"vision":[{"auto_map":{"AutoModel":"x.Y"}}]}"#)
        try expectRefusal("auto_map") { _, _ in }
    }

    @Test func tokenizerConfigurationThatNamesCode() throws {
        try deployment.write("base/tokenizer_config.json", #"{"auto_map":{"AutoTokenizer":["x.Y",null]}}"#)
        try expectRefusal("auto_map") { _, _ in }
    }

    @Test func pipelineThatNamesCode() throws {
        try deployment.write("base/config.json", #"{"custom_pipelines":{}}"#)
        try expectRefusal("custom_pipelines") { _, _ in }
    }

    @Test func configurationThatIsNoJSON() throws {
        try deployment.write("base/config.json", "{")
        try expectRefusal("not JSON") { _, _ in }
    }

    @Test func baseFileThatChangedAfterAdmission() throws {
        try expectRefusal("changed after") { _, record in
            record.base.files = [SourceFile(name: "config.json", bytes: 2, sha256: Digest.sha256("{}".utf8))]
        }
    }

    @Test func baseFileThatVanishedAfterAdmission() throws {
        try expectRefusal("vanished") { _, record in
            record.base.files = [SourceFile(name: "merges.txt", bytes: 2, sha256: "x")]
        }
    }

    @Test func baseFileThatLinksOut() throws {
        try deployment.write("secret", "s")
        let link = deployment.base + "/merges.txt"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "../secret")
        try expectRefusal("links must be relative and stay inside") { _, _ in }
        let (staging, record) = try deployment.stage("next", value: 9)
        let release = try store.publish(
            staging: staging, baseDirectory: deployment.base, record: record, root: deployment.path)
        #expect(try Durable.contents(release.directory + "/merges.txt") == Array("s".utf8))
    }

    @Test func outputThatIsMissing() throws {
        try expectRefusal("heads/sst2.safetensors is missing") { staging, _ in
            try Durable.remove(staging + "/heads/sst2.safetensors")
        }
    }

    @Test func outputOfAnotherLength() throws {
        try expectRefusal("bytes were announced") { _, record in record.result.outputs[0].bytes += 1 }
    }

    @Test func fileThatNobodyAnnounced() throws {
        try expectRefusal("nobody announced") { staging, _ in try Durable.replace(staging + "/core", with: [1]) }
    }

    @Test func linkInTheCandidate() throws {
        try expectRefusal("bytes were announced") { staging, _ in
            try Durable.remove(staging + "/heads/sst2.safetensors")
            try Durable.pointLink(staging + "/heads/sst2.safetensors", at: "/etc/passwd")
        }
    }

    @Test func secondModelBesideTheModel() throws {
        try expectRefusal("beside the model") { staging, record in
            try Durable.rename(staging + "/heads/sst2.safetensors", to: staging + "/head.safetensors")
            record.result.outputs[1].name = "head.safetensors"
        }
    }

    @Test func modelThatCanNotBeReadBack() throws {
        try expectRefusal("not a valid safetensors") { staging, record in
            let bytes = [UInt8](repeating: 7, count: Int(record.result.outputs[0].bytes))
            try Durable.replace(staging + "/model.safetensors", with: bytes)
        }
    }

    @Test(arguments: ["../../escape", "/etc/passwd", "heads//x", "./x", ""])
    func outputNameThatLeaves(name: String) throws {
        try expectRefusal("missing or named twice") { _, record in
            record.result.outputs.append(SourceFile(name: name, bytes: 0, sha256: "x"))
        }
    }

    @Test(arguments: ["..", "../versions", "a/b", "", ".hidden", "a\0b", String(repeating: "a", count: 300)])
    func stagingNameThatLeaves(merge: String) throws {
        #expect(throws: ReleasesError.self) { try store.makeStaging(merge: merge) }
        #expect(throws: ReleasesError.self) { try store.discardStaging("\(store.stagings)/\(merge)") }
        #expect(try store.current()?.version == 1)
    }

    @Test func publishingFromElsewhere() throws {
        let (_, record) = try deployment.stage()
        #expect(throws: ReleasesError.badStaging(path: "/tmp")) {
            try store.publish(staging: "/tmp", baseDirectory: deployment.base, record: record)
        }
        #expect(FileManager.default.fileExists(atPath: "/tmp"))
    }
}
