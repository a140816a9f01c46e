import Files
import Foundation
import Testing
import WorkerProtocol

@testable import Releases

/// `bom.cdx.json`: its own rules here, and the published JSON schema where a Python has it (cyclonedx-python-lib).
@Suite struct BillOfMaterialsTests {
    private static let python: String? = {
        let candidates = [ProcessInfo.processInfo.environment["SUPERMERGE_PYTHON"], "/usr/bin/python3"]
        return candidates.compactMap(\.self).first { path in
            guard FileManager.default.isExecutableFile(atPath: path) else { return false }
            return (try? Self.run(path, ["-c", "import cyclonedx, jsonschema"]))?.status == 0
        }
    }()

    private static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, errors: String) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let errors = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let said = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, said)
    }

    /// With everything that a bill can hold.
    static func record() -> ReleaseRecord {
        var record = ReportSamples.record(tasks: ["sentiment", "topics"])
        record.base.origin = ModelOrigin(source: "https://huggingface.co/acme/tiny", licence: "Apache-2.0")
        record.tasks[0].settings.origin = ModelOrigin(source: "run 4711", licence: "our own licence")
        record.tasks[0].settings.maximumRegression = 0.01
        record.tasks[0].files.append(
            SourceFile(name: "validation.safetensors", bytes: 9, sha256: ReportSamples.digest("d")))
        record.result.programs = ["supermerge": ReportSamples.digest("c")]
        record.result.started = "2026-03-04T05:00:00Z"
        var passes = PassCount()
        (passes.forward, passes.backward) = (30, 20)
        record.result.passes = ["fitting": passes]
        record.result.flopsPerPass = 2e9
        record.ledger = LedgerHead(entries: 12, digest: ReportSamples.digest("1"))
        record.gate = GateRecord(
            familyWiseLevel: 0.05, tests: [.init(task: "topics", p: 0.4, adjustedP: 0.8)],
            command: .init(
                isAccepted: true, reason: nil, tasks: ["topics": .init(metric: "em", value: 0.81, minimum: 0.8)],
                seconds: 3))
        return record
    }

    private func members(_ value: JSONValue, _ path: String...) -> JSONValue? {
        path.reduce(value) { value, name in
            if let index = Int(name) {
                let elements = value?.elements ?? []
                return elements.indices.contains(index) ? elements[index] : nil
            }
            return value?.members[name]
        }
    }

    @Test func namesWhatWentInAndWhatCameOut() throws {
        let record = Self.record()
        let bill = try JSONValue(parsing: BillOfMaterials.bytes(record), .python)
        #expect(members(bill, "bomFormat") == "CycloneDX" && members(bill, "specVersion") == "1.7")
        #expect(members(bill, "metadata", "lifecycles", "0", "phase") == "build")
        let tools = members(bill, "metadata", "tools", "components")?.elements ?? []
        #expect(tools.compactMap { members($0, "name")?.text } == ["supermerged", "supermerge", "libtorch"])
        let libtorch = try #require(tools.first { members($0, "name") == "libtorch" })
        #expect(members(libtorch, "type") == "library" && members(libtorch, "version") == "1.13.1")
        let model = try #require(members(bill, "metadata", "component"))
        #expect(members(model, "type") == "machine-learning-model" && members(model, "version") == "7")
        #expect(members(model, "components", "0", "hashes", "0", "content") == .string(ReportSamples.digest("f")))
        #expect(
            members(model, "pedigree", "ancestors")?.elements.compactMap { members($0, "name")?.text } == [
                "base model", "sentiment", "topics",
            ])
        let components = members(bill, "components")?.elements ?? []
        let base = try #require(components.first { members($0, "bom-ref") == "base" })
        #expect(members(base, "licenses", "0", "license", "id") == "Apache-2.0")
        #expect(members(base, "externalReferences", "0", "url") == "https://huggingface.co/acme/tiny")
        let task = try #require(components.first { members($0, "bom-ref") == "task/sentiment" })
        #expect(members(task, "licenses", "0", "license", "name") == "our own licence")
        let data = try #require(components.first { members($0, "type") == "data" })
        #expect(members(data, "hashes", "0", "content") == .string(ReportSamples.digest("d")))
        let metrics = members(model, "modelCard", "quantitativeAnalysis", "performanceMetrics")?.elements ?? []
        #expect(metrics.count == 7 && metrics.allSatisfy { members($0, "type") == "accuracy" })
        let figures = Dictionary(
            (members(model, "properties")?.elements ?? []).map {
                (members($0, "name")?.text ?? "", members($0, "value")?.text ?? "")
            }
        ) { first, _ in first }
        #expect(figures["supermerged:gate:sentiment:maximum-regression"] == "0.01")
        #expect(
            figures["supermerged:gate:topics:adjusted-p"] == "0.8" && figures["supermerged:gate:verdict"] == "accepted")
        #expect(
            figures["supermerged:gate:command:topics:em"] == "0.81" && figures["supermerged:ledger:entries"] == "12")
        let workflow = try #require(members(bill, "formulation", "0", "workflows", "0"))
        #expect(
            members(workflow, "taskTypes") == .array(["merge"])
                && members(workflow, "timeStart") == "2026-03-04T05:00:00Z")
        let compute = members(workflow, "properties")?.elements ?? []
        let flops = compute.first { members($0, "name") == "supermerged:flops:estimate" }
        #expect(members(flops ?? .null, "value") == "140000000000.0", "30 forward, and 20 backward at twice that")
    }

    @Test func everyReferenceIsThereOnceAndTheSameRecordGivesTheSameBytes() throws {
        let record = Self.record()
        let bytes = try BillOfMaterials.bytes(record)
        #expect(try BillOfMaterials.bytes(record) == bytes)
        let bill = try JSONValue(parsing: bytes, .python)
        var (defined, used): ([String], [String]) = ([], [])
        func walk(_ value: JSONValue) {
            for (name, member) in value.members {
                if name == "bom-ref", let text = member.text { defined.append(text) }
                if name == "ref" || name == "dependsOn" {
                    used += [member.text].compactMap(\.self) + member.elements.compactMap(\.text)
                }
                walk(member)
            }
            for element in value.elements { walk(element) }
        }
        walk(bill)
        #expect(Set(defined).count == defined.count && Set(used).isSubset(of: defined))
        let serial = try #require(bill.members["serialNumber"]?.text)
        #expect(
            serial.wholeMatch(of: /urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}/) != nil,
            "\(serial)")
    }

    @Test(
        .enabled(if: python != nil, "no Python with cyclonedx-python-lib[json-validation]; SUPERMERGE_PYTHON names one")
    )
    func isValidByTheSchemaOfCycloneDX() throws {
        var plain = ReportSamples.record(tasks: [])
        plain.gate = nil
        for record in [Self.record(), plain] {
            let (status, errors) = try check(BillOfMaterials.bytes(record))
            #expect(status == 0, "\(errors)")
        }
        // What the schema does not allow is found: a key that it lacks, a digest that is none, a missing name.
        let text = String(decoding: try BillOfMaterials.bytes(Self.record()), as: UTF8.self)
        for (part, other) in [
            ("\"bomFormat\"", "\"bomFormats\""), (ReportSamples.digest("d"), "d"), ("\"name\" : \"merged model\",", ""),
        ] {
            #expect(text.contains(part))
            let (status, errors) = try check(Array(text.replacing(part, with: other).utf8))
            #expect(status == 1 && errors.contains("bom.cdx.json: "), "\(part): \(errors)")
        }
    }

    private func check(_ bytes: [UInt8]) throws -> (status: Int32, errors: String) {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Tools/check_bom.py")
        let folder = NSTemporaryDirectory() + "bom-\(UUID().uuidString)"
        try Durable.createDirectories(folder)
        defer { try? Durable.remove(folder) }
        let path = "\(folder)/\(BillOfMaterials.fileName)"
        try Data(bytes).write(to: URL(filePath: path))
        return try Self.run(try #require(Self.python), [script.path, path])
    }

    /// A published release and one that repeats it have the file, and it is among those that the record vouches for.
    @Test func everyReleaseHasOneAmongItsOutputs() throws {
        let deployment = try Deployment()
        _ = try deployment.store.recover()
        let (staging, record) = try deployment.stage()
        let release = try deployment.store.publish(staging: staging, baseDirectory: deployment.base, record: record)
        let repeated = try deployment.store.rollback(to: 1, created: "2026-03-05T05:06:07Z")
        for release in [release, repeated] {
            let output = try #require(release.record.result.outputs.first { $0.name == BillOfMaterials.fileName })
            let bytes = try Durable.contents("\(release.directory)/\(output.name)")
            #expect(Digest.sha256(bytes) == output.sha256)
            let bill = try JSONValue(parsing: bytes, .python)
            #expect(members(bill, "metadata", "component", "version") == .string(String(release.version)))
        }
    }
}
