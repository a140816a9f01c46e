import Files
import Foundation
import Ledger
import Safetensors
import Testing

/// One task lands in an empty deployment.
@Suite struct FirstReleaseTests {
    @Test func aCheckpointThatLandsGoesLiveWithEverythingThatTheContractNames() throws {
        let site = try Site()
        let daemon = try site.start()
        #expect(site.current == nil)
        try site.drop("amber")
        let reply = try site.rescan()
        #expect(reply.status == 0, "\(reply.output) \(reply.errors)")
        #expect(try reply.object()["version"] as? Int == 1)

        #expect(site.current == "versions/1")
        let names = try #require(FileManager.default.subpaths(atPath: site.deploy + "/versions/1")).sorted()
        #expect(
            names == [
                "README.md", "bom.cdx.json", "config.json", "graph.pt2", "heads", "heads/amber.safetensors", "merge",
                "merge/coefficients.safetensors", "merge/correction.safetensors", "model.safetensors",
                "provenance.json", "release.json", "report.html",
            ])
        let model = try SafetensorsFile(file: ReadableFile(path: site.deployed("model.safetensors")))
        let base = try SafetensorsFile(file: ReadableFile(path: site.registry + "/base/model.safetensors"))
        #expect(model.metadata["format"] == "pt")
        #expect(Set(model.entries.map(\.name)) == Set(base.entries.map(\.name)))
        let head = try SafetensorsFile(file: ReadableFile(path: site.deployed("heads/amber.safetensors")))
        #expect(Set(head.entries.map(\.name)) == ["classifier.weight", "classifier.bias"])
        #expect(
            try String(contentsOfFile: site.deployed("README.md"), encoding: .utf8).contains(
                "base_model_relation: merge"))
        let report = try String(contentsOfFile: site.deployed("report.html"), encoding: .utf8)
        #expect(report.contains("<h1>Release 1</h1>") && report.contains("<h2>Fit</h2>"))
        #expect(report.contains("<h2>Refused so far</h2>\n<p>Nothing.</p>"))
        #expect(try daemon.stop() == 0)
    }

    @Test func digestsAndCoefficientsAreThoseOfTheFiles() throws {
        let site = try Site()
        try site.drop("amber")
        try site.start()
        try site.rescan()
        let release = try #require(try site.release())
        let outputs = release.record.result.outputs
        #expect(outputs.count == 10)
        for output in outputs {
            let file = try ReadableFile(path: site.deployed(output.name))
            let digest = try file.sha256()
            #expect(file.size == output.bytes && digest == output.sha256, "\(output.name)")
        }
        let pointer = try site.pointer()
        #expect(pointer.version == 1 && pointer.path == site.deploy + "/versions/1" && pointer.digest == release.digest)
        let source = try #require(release.record.tasks.first { $0.name == "amber" })
        for file in source.files {
            #expect(try ReadableFile(path: site.path("amber", file.name)).sha256() == file.sha256)
        }
        let coefficients = try TensorFile(path: site.deployed("merge/coefficients.safetensors")).tensors
        for (layer, values) in release.record.result.coefficients {
            let written = try #require(coefficients[layer])
            #expect(written.shape.first == 1 && written.shape.count <= 2)
            let gains = coefficients[layer + ":columns"]?.floats ?? [1]
            #expect(abs(mean(written.floats) * mean(gains) - values[0]) < 1e-6)
        }
        #expect(coefficients.keys.contains { $0.hasSuffix(":columns") })
    }

    private func mean(_ values: [Float]) -> Double {
        values.reduce(0) { $0 + Double($1) } / Double(values.count)
    }

    @Test func theMergeIsBetterThanTheBaseAndTheReleaseSaysSo() throws {
        let site = try Site()
        try site.drop("amber")
        try site.start()
        try site.rescan()
        let result = try #require(try site.release()?.record.result.tasks.first)
        let (base, merged) = (try #require(result.base), try #require(result.merged))
        #expect(merged.value > base.value)
        #expect(merged.examples == 24 && result.fitted == 72)
        let workshop = try Workshop.shared()
        func accuracy(_ model: String) throws -> Double {
            let run = try Execution.run(
                Programs.merge,
                [
                    "evaluate", "--model", model, "--task", site.path("amber"), "--data", workshop.test("amber"),
                    "--json",
                ])
            return try #require(try run.object()["value"] as? Double)
        }
        #expect(try accuracy(site.deploy + "/current") > accuracy(site.registry + "/base") + 0.05)
    }

    @Test func theReleaseCantBeChangedByItsReaders() throws {
        let site = try Site()
        try site.drop("amber")
        try site.start()
        try site.rescan()
        for name in ["", "model.safetensors", "heads", "heads/amber.safetensors", "release.json"] {
            let mode = try FileStatus(path: site.deploy + "/versions/1/" + name).mode
            #expect(mode & 0o222 == 0, "\(name) has mode \(String(mode, radix: 8))")
        }
    }

    @Test func theLedgerChainsAndTellsTheStory() throws {
        let site = try Site()
        let daemon = try site.start()
        try site.drop("amber")
        try site.rescan()
        #expect(try daemon.stop() == 0)
        let entries = try site.ledger()
        #expect(try Ledger.verify(path: site.state + "/ledger.jsonl") == entries.count)
        let kinds = entries.map(\.event).filter { $0 != .scanned && $0 != .mergeProgress }
        #expect(
            kinds == [
                .started, .configurationLoaded, .accepted, .accepted, .mergeStarted, .published, .stopped,
            ])
        let lines = try Data(contentsOf: URL(filePath: site.state + "/ledger.jsonl")).split(separator: 0x0A)
        for (line, next) in zip(lines, entries.dropFirst()) { #expect(Digest.sha256(Array(line)) == next.previous) }
        #expect(entries.last { $0.event == .published }?.version == 1)
    }
}
