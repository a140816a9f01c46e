import Files
import Foundation
import Glibc
import Testing
import WorkerProtocol

@testable import Releases

@Suite struct ReleaseStoreTests {
    let deployment: Deployment
    var store: ReleaseStore { deployment.store }

    init() throws {
        deployment = try Deployment()
        _ = try deployment.store.recover()
    }

    @Test func publishedReleaseHasItsLayout() throws {
        let release = try deployment.publish()
        #expect(release.version == 1)
        #expect(release.directory == "\(deployment.path)/deploy/versions/1")
        #expect(
            try ReleaseContents.walk(release.directory).map(\.0) == [
                "README.md", "bom.cdx.json", "config.json", "graph.pt2", "heads/sst2.safetensors",
                "merge/coefficients.safetensors",
                "model.safetensors", "provenance.json", "release.json", "report.html", "tokenizer.json", "vocab.txt",
            ])
        #expect(try Durable.linkTarget(store.link) == "versions/1")
        #expect(try store.current() == release)
        #expect(try store.release(1) == release)
        #expect(try store.verify(1) == [])
        for (name, status) in try ReleaseContents.walk(release.directory) {
            #expect(status.mode & 0o222 == 0, "\(name)")
            #expect(status.mode & 0o440 == 0o440, "\(name)")
        }
        #expect(try FileStatus(path: release.directory + "/heads").mode & 0o222 == 0)
        let pointer = try #require(
            try JSONSerialization.jsonObject(with: Data(Durable.contents(store.pointerFile))) as? [String: Any])
        #expect(pointer["version"] as? Int == 1)
        #expect(pointer["path"] as? String == release.directory)
        #expect(pointer["digest"] as? String == release.digest)
    }

    @Test func modelCard() throws {
        let release = try deployment.publish()
        let text = String(decoding: try Durable.contents(release.directory + "/README.md"), as: UTF8.self)
        #expect(text.hasPrefix("---\nbase_model:\n- \"acme/tiny\"\nbase_model_relation: merge\n"))
        #expect(text.contains("| sst2 | 8 | accuracy | 0.5000 | – | – | 0.8750 |"))
        #expect(text.contains("| sst2 | 0.2500 | 0.2500 | 0.2500 |"))
        #expect(text.contains("supermergectl verify 1"))
        #expect(!text.contains(deployment.path) && !text.contains("adapter/"))
    }

    @Test func modelCardTellsOfNotesAndOfTheAdapter() throws {
        var (staging, record) = try deployment.stage()
        let adapter = "adapter/adapter_model.safetensors"
        try Durable.createDirectories(staging + "/adapter")
        try Data("weights".utf8).write(to: URL(filePath: "\(staging)/\(adapter)"))
        record.result.outputs.append(SourceFile(name: adapter, bytes: 7, sha256: Digest.sha256(Array("weights".utf8))))
        record.result.notes = ["12 tensors of running statistics are the mean of the tasks'"]
        let release = try store.publish(staging: staging, baseDirectory: deployment.base, record: record)
        let text = String(decoding: try Durable.contents(release.directory + "/README.md"), as: UTF8.self)
        #expect(text.contains("\n- 12 tensors of running statistics are the mean of the tasks'\n"))
        #expect(text.contains("`adapter/` is the same merge as one adapter"))
    }

    @Test func modelCardLoadsAHead() throws {
        let plain = try deployment.publish()
        func text(_ release: Release) throws -> String {
            String(decoding: try Durable.contents(release.directory + "/README.md"), as: UTF8.self)
        }
        let undescribed = try text(plain)
        #expect(undescribed.contains("AutoModelForSequenceClassification"))
        #expect(undescribed.contains(#"load_file("heads/sst2.safetensors")"#))
        #expect(undescribed.contains("put its class and its number of labels in here"))
        var (staging, record) = try deployment.stage("m2")
        let head = Array(#"{"architectures":["BertForSequenceClassification"]}"#.utf8)
        try Durable.replace(staging + "/heads/sst2.json", with: head)
        record.result.outputs.append(
            SourceFile(name: "heads/sst2.json", bytes: Int64(head.count), sha256: Digest.sha256(head)))
        let described = try text(
            store.publish(staging: staging, baseDirectory: deployment.base, record: record))
        #expect(described.contains(#"json.load(open("heads/sst2.json"))"#) && !described.contains("num_labels"))
        #expect(described.contains(#"load_file("heads/sst2.safetensors")"#))
        #expect(!described.contains("came without one"))
    }

    @Test(arguments: [
        ("gpt2", "gpt2"), ("acme/tiny", "acme/tiny"), ("/home/someone/models/tiny", "tiny"), ("./tiny/", "tiny"),
        ("", "base"),
    ]) func baseModelOfTheCard(named: String, shown: String) throws {
        try deployment.write("base/config.json", #"{"_name_or_path":"\#(named)","model_type":"bert"}"#)
        let release = try deployment.publish()
        let text = String(decoding: try Durable.contents(release.directory + "/README.md"), as: UTF8.self)
        #expect(text.hasPrefix("---\nbase_model:\n- \"\(shown)\"\n"), "\(text.prefix(60))")
    }

    @Test func reportStandsUnderTheDigests() throws {
        let release = try deployment.publish()
        let path = release.directory + "/report.html"
        let html = String(decoding: try Durable.contents(path), as: UTF8.self)
        #expect(html.contains("<h1>Release 1</h1>") && !html.contains(deployment.path))
        let output = try #require(release.record.result.outputs.first { $0.name == "report.html" })
        #expect(output.sha256 == Digest.sha256(Array(html.utf8)) && output.bytes == Int64(html.utf8.count))
        try Durable.changeMode(path, to: 0o640)
        try Data(html.replacing("0.8750", with: "0.9999").utf8).write(to: URL(fileURLWithPath: path))
        #expect(try store.verify(1) == ["report.html"])
    }

    @Test func reportTellsOfThePreviousReleaseAndOfRefusals() throws {
        try deployment.publish(value: 1)
        let (staging, record) = try deployment.stage("m2", value: 2)
        let events = [ReportedEvent(time: "2026-01-01T12:00:00Z", by: "the gate", task: "a", message: "a fell")]
        let release = try store.publish(
            staging: staging, baseDirectory: deployment.base, record: record, events: events)
        func report(_ release: Release) throws -> String {
            String(decoding: try Durable.contents(release.directory + "/report.html"), as: UTF8.self)
        }
        #expect(try report(release).contains("<h2>Refused since release 1</h2>"))
        #expect(try report(release).contains("a fell"))
        let back = try store.rollback(to: 1, created: "2026-02-01T00:00:00Z", events: [])
        #expect(try report(back).contains("repeats the content of release 1"))
        #expect(try report(back).contains("<h2>Against release 2</h2>"))
        #expect(try store.verify(back.version) == [])
    }

    @Test func numbersAreNeverUsedTwice() throws {
        for value: UInt8 in 1...3 { try deployment.publish(value: value) }
        try Durable.remove(store.directory(of: 3))
        try store.pointLink(at: 2)
        #expect(try deployment.publish(value: 4).version == 4)
        try Durable.remove(store.numbersFile)
        #expect(try deployment.publish(value: 5).version == 5)
        try Durable.remove(store.directory(of: 5))
        try store.pointLink(at: 4)
        #expect(try store.recover()?.version == 4)
        #expect(try deployment.publish(value: 6).version == 6)
    }

    @Test func rollbackIsANewNumberOverTheSameBytes() throws {
        let first = try deployment.publish(value: 1)
        try deployment.publish(value: 2)
        let release = try store.rollback(to: 1, created: "2026-02-01T00:00:00Z")
        #expect(release.version == 3)
        #expect(release.record.rollbackOf == 1)
        #expect(release.record.created == "2026-02-01T00:00:00Z")
        #expect(try release.weight() == 1)
        #expect(try store.current() == release)
        #expect(try store.verify(3) == [])
        #expect(try store.verify(1) == [])
        let model = "/model.safetensors"
        let inode = try FileStatus(path: release.directory + model).identity.inode
        #expect(try FileStatus(path: first.directory + model).identity.inode == inode)
        let text = String(decoding: try Durable.contents(release.directory + "/README.md"), as: UTF8.self)
        #expect(text.contains("# Release 3") && text.contains("release 1 (rollback)"))
    }

    @Test func rollbackToWhatIsNotThere() throws {
        try deployment.publish()
        #expect(throws: ReleasesError.unknownRelease(version: 7, deploy: store.deploy)) {
            try store.rollback(to: 7, created: "x")
        }
        try Durable.changeMode(store.directory(of: 1), to: 0o750)
        try Durable.remove(store.directory(of: 1) + "/config.json")
        #expect(throws: ReleasesError.self) { try store.rollback(to: 1, created: "x") }
        #expect(try Durable.list(store.stagings) == [])
    }

    @Test func retireKeepsTheNewestTheCurrentAndTheRecent() throws {
        for value: UInt8 in 1...5 { try deployment.publish(value: value) }
        try store.pointLink(at: 2)
        // Release n was superseded on day n + 1.
        let now = try #require(ReleaseStore.date("2026-01-06T12:00:00.000Z"))
        #expect(try store.retire(keep: 5, grace: .zero, now: now) == [])
        #expect(try store.retire(keep: 2, grace: .seconds(86_400 * 4), now: now) == [1])
        #expect(try store.retire(keep: 2, grace: .seconds(3600), now: now) == [3])
        #expect(try store.retire(keep: 0, grace: .zero, now: now) == [4])
        #expect(try store.releases().map(\.version) == [2, 5])
        #expect(try store.current()?.version == 2)
    }

    @Test func retiredOriginalLeavesItsRollbackWhole() throws {
        for value: UInt8 in 1...2 { try deployment.publish(value: value) }
        _ = try store.rollback(to: 1, created: "2026-01-03T00:00:00Z")
        let now = try #require(ReleaseStore.date("2027-01-01T00:00:00Z"))
        #expect(try store.retire(keep: 1, grace: .zero, now: now) == [1, 2])
        #expect(try store.verify(3) == [])
        #expect(try store.current()?.weight() == 1)
    }

    @Test func verifyNamesWhatDiffers() throws {
        let release = try deployment.publish()
        let path = release.directory
        for name in ["", "/heads"] { try Durable.changeMode(path + name, to: 0o750) }
        try Durable.remove(path + "/vocab.txt")
        try Durable.replace(path + "/heads/extra.bin", with: [1])
        var model = try Durable.contents(path + "/model.safetensors")
        model[model.count - 1] ^= 1
        try Durable.replace(path + "/model.safetensors", with: model)
        #expect(try store.verify(1) == ["heads/extra.bin", "model.safetensors", "vocab.txt"])
    }

    @Test func completeDirectoryWithoutADeployDirectory() throws {
        let output = deployment.path + "/output"
        try Durable.createDirectories(output)
        let (record, _) = try deployment.fill(output, merge: "m", value: 1)
        let complete = try ReleaseContents.complete(
            directory: output, baseDirectory: deployment.base, record: record)
        #expect(complete.version == 0)
        let read = try JSON.decode(ReleaseRecord.self, from: Data(Durable.contents(output + "/release.json")))
        #expect(read == complete)
        #expect(read.result.outputs.map(\.name).contains("README.md"))
    }

    @Test func errorsAreOneLineWithAdvice() {
        let errors: [ReleasesError] = [
            .unknownRelease(version: 1, deploy: "/x"), .badRecord(path: "/x", reason: "r"), .badStaging(path: "/x"),
            .badCandidate(path: "/x", reason: "r"), .badCurrent(path: "/x", reason: "r"),
            .nothingWhole(deploy: "/x", reason: "r", damaged: ["d"]),
        ]
        for error in errors {
            #expect(error.description.hasPrefix("/x") && error.description.contains("; "))
            #expect(!error.description.contains("\n"))
        }
    }
}
