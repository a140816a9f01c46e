import Adapters
import Files
import Foundation
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// BERT whose norms have the names of 2018, `LayerNorm.gamma` and `LayerNorm.beta`: merged as under the names of today.
@Suite(.serialized)
struct LegacyNamesTests {
    static let whoIsOld = [["base"], ["one"], ["base", "one"], ["one", "two"], ["base", "one", "two"]]

    static func old(_ name: String) -> String {
        name.replacing("LayerNorm.weight", with: "LayerNorm.gamma").replacing("LayerNorm.bias", with: "LayerNorm.beta")
    }

    /// `whoIsOld`: the folders whose files have the old names.
    private func fixture(
        in directory: String, _ method: MergeSettings.Method, isArchived: Bool, whoIsOld: [String] = []
    ) throws -> ArchitectureFixture {
        try Durable.createDirectories(directory)
        var settings = try ArchitectureFixture.settings()
        settings.steps = 2
        settings.method = method
        let fixture = try ArchitectureFixture("bert", in: directory, settings: settings)
        if !isArchived { try Durable.remove(fixture.base.path + "/graph.pt2") }
        for name in whoIsOld { try ModelFolder(at: "\(directory)/\(name)").rename(Self.old) }
        return fixture
    }

    private func expectTheSame(
        _ method: MergeSettings.Method, isArchived: Bool, whoIsOld: [String]
    ) throws {
        try Fixture.temporarily { directory in
            let plain = try fixture(in: directory + "/plain", method, isArchived: isArchived)
            let expected = try plain.run()
            let fixture = try fixture(in: directory + "/old", method, isArchived: isArchived, whoIsOld: whoIsOld)
            let result = try fixture.run()
            #expect(result.tasks == expected.tasks)
            #expect(result.coefficients == expected.coefficients)
            let merged = try ModelFolder(at: fixture.plan.output).tensors()
            let origin = try fixture.base.tensors()
            #expect(Set(merged.keys) == Set(origin.keys))
            for (name, content) in try ModelFolder(at: plain.plan.output).tensors() {
                let stored = whoIsOld.contains("base") ? Self.old(name) : name
                #expect(merged[stored]?.bytes == content.bytes, "\(stored)")
                if stored.contains("LayerNorm") { #expect(merged[stored]?.bytes != origin[stored]?.bytes) }
            }
            for task in ArchitectureFixture.tasks {
                let heads = try [plain, fixture].map {
                    try ModelFolder(at: $0.plan.output + "/heads").tensors("\(task).safetensors").mapValues(\.bytes)
                }
                #expect(heads[1].keys.allSatisfy { $0.hasPrefix("classifier.") } && heads[0] == heads[1])
            }
            let evaluation = Evaluation(
                model: fixture.plan.output, task: fixture.plan.tasks[0].directory,
                settings: fixture.plan.tasks[0].settings, base: fixture.base.path)
            var same = evaluation
            (same.model, same.task, same.base) = (plain.plan.output, plain.plan.tasks[0].directory, plain.base.path)
            #expect(try evaluation.score() == same.score())
        }
    }

    @Test(arguments: whoIsOld, [true, false])
    func aFitIsThatOfTheNamesOfToday(_ whoIsOld: [String], isArchived: Bool) throws {
        try expectTheSame(.supermerge, isArchived: isArchived, whoIsOld: whoIsOld)
    }

    @Test(arguments: whoIsOld)
    func anAverageIsThatOfTheNamesOfToday(_ whoIsOld: [String]) throws {
        try expectTheSame(.average, isArchived: true, whoIsOld: whoIsOld)
    }

    /// A graph that was exported of a model with the old names.
    @Test func aGraphMayHaveTheOldNames() throws {
        try Fixture.temporarily { directory in
            let plain = try fixture(in: directory + "/plain", .supermerge, isArchived: true)
            let expected = try plain.run()
            let fixture = try fixture(
                in: directory + "/old", .supermerge, isArchived: true, whoIsOld: ["base", "one", "two"])
            let path = fixture.base.path + "/graph.pt2"
            let text = try String(contentsOfFile: path, encoding: .isoLatin1)
            let changed = text.replacing("LayerNorm.bias", with: "LayerNorm.beta")
            try #require(changed != text)
            try Durable.remove(path)
            try changed.write(toFile: path, atomically: false, encoding: .isoLatin1)
            #expect(try fixture.run().tasks == expected.tasks)
        }
    }

    @Test func anAdapterMayHoldANormUnderItsOldName() throws {
        try Fixture.temporarily { directory in
            let fixture = try fixture(in: directory, .average, isArchived: true, whoIsOld: ["base"])
            let folder = try ModelFolder(newAt: directory + "/adapter")
            let (norm, query) = ("bert.embeddings.LayerNorm", "bert.encoder.layer.0.attention.self.query")
            var tensors: [String: ModelFolder.Content] = [
                "\(query).lora_A.weight": .init([Float](repeating: 1, count: 32), .f32, shape: [2, 16]),
                "\(query).lora_B.weight": .init([Float](repeating: 1, count: 32), .f32, shape: [16, 2]),
                "\(norm).gamma": .init([Float](repeating: 3, count: 16), .f32),
                "\(norm).bias": .init([Float](repeating: 4, count: 16), .f32),
            ]
            tensors = Dictionary(uniqueKeysWithValues: tensors.map { ("base_model.model." + $0.key, $0.value) })
            try folder.write(tensors, to: Adapter.weightsName)
            let configuration = #"{"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_modules": ["query"]}"#
            try Durable.replace(folder.path + "/adapter_config.json", with: Array(configuration.utf8))
            let adapter = try Adapter(directory: folder.path, base: Checkpoint(directory: fixture.base.path))
            #expect(adapter.checkpoint.names == ["\(norm).bias", "\(norm).weight"])
            #expect(Set(adapter.updates.keys) == ["\(norm).bias", "\(norm).weight", "\(query).weight"])
            #expect(try adapter.checkpoint.tensor("\(norm).weight").floats() == [Float](repeating: 3, count: 16))
        }
    }

    @Test func inspectionShowsTheNamesOfTheFile() throws {
        try Fixture.temporarily { directory in
            let fixture = try fixture(in: directory, .average, isArchived: true, whoIsOld: ["base"])
            let names = try Inspection(path: fixture.base.path).tensors.map(\.name)
            #expect(try names == fixture.base.tensors().keys.sorted())
            #expect(names.contains("bert.embeddings.LayerNorm.gamma"))
        }
    }
}
