import Adapters
import Files
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// A merge of adapters written as one adapter, read back and folded into the base: it is the merged model.
struct MergedAdapterTests {
    /// A plan over two adapters of the tiny model.
    private func plan(_ names: [String], _ settings: MergeSettings, in directory: String) throws -> MergePlan {
        var plan = try Fixture.plan(settings, in: directory)
        plan.base.directory = AdapterFixture.base(of: names[0])
        plan.tasks = names.enumerated().map { place, name in
            TaskSource(
                name: "task\(place)", directory: "\(AdapterFixture.root)/\(name)", files: [], digest: name,
                settings: TaskSettings())
        }
        return plan
    }

    private func settings(_ method: MergeSettings.Method) throws -> MergeSettings {
        var settings = try Fixture.settings()
        settings.method = method
        settings.scale = 0.4
        settings.writesAdapter = true
        return settings
    }

    /// Merges, and folds what was written into the base again.
    private func expectTheMergedModel(_ plan: MergePlan) throws {
        let result = try MergeRun(plan, report: { _ in }).run()
        for name in Adapter.fileNames {
            let output = try #require(result.outputs.first { $0.name == "adapter/\(name)" })
            let file = try ReadableFile(path: "\(plan.output)/\(output.name)")
            #expect(try file.size == output.bytes && file.sha256() == output.sha256)
        }
        let base = try Checkpoint(directory: plan.base.directory)
        let task = try AdapterFixture.task("merged", base, directory: plan.output + "/adapter")
        let layers = AdapterFixture.layers(base, .tensor)
        let own = try ModelParameters(layers: layers)
        try own.load(task: 0, TaskVectors(base: base, tasks: [task], layers: layers))
        let merged = try Checkpoint(directory: plan.output)
        for (layer, tensor) in zip(layers, own.tensors) {
            let expected = try merged.tensor(layer.name).floats()
            #expect(AdapterFixture.distance(try tensor.floats(), expected) < 1e-6, "\(layer.name)")
        }
        #expect(layers.contains { (try? merged.tensor($0.name).floats() != base.tensor($0.name).floats()) == true })
    }

    @Test(arguments: [
        ["lora", "rslora"], ["embedding", "biases"], ["convolution", "lora-bias"], ["adapted-biases", "saved"],
        ["expression", "lora", "embedding"], ["turned/lora", "turned/lora"], ["ia3", "ia3"],
        ["ia3-convolution", "ia3"],
        ["turned/ia3", "turned/ia3"], ["turned/ia3-inputs", "turned/ia3-inputs"],
    ])
    func staticMerge(_ names: [String]) throws {
        for method in [MergeSettings.Method.taskArithmetic, .average] {
            try Fixture.temporarily { try expectTheMergedModel(plan(names, settings(method), in: $0)) }
        }
    }

    @Test(
        arguments: [MergeSettings.Granularity.tensor, .row, .rowColumn], [MergeSettings.Strategy.joint, .hierarchical])
    func fit(_ granularity: MergeSettings.Granularity, _ strategy: MergeSettings.Strategy) throws {
        try Fixture.temporarily { directory in
            var settings = try settings(.supermerge)
            (settings.granularity, settings.strategy, settings.steps) = (granularity, strategy, 3)
            var plan = try Fixture.plan(settings, in: directory)
            let folder = "\(AdapterFixture.root)/vit/letters"
            // The same adapter, three times as strong: another task vector.
            let strong = try ModelFolder(folder, copiedTo: directory + "/strong")
            let configuration = try ReadableFile(path: "\(folder)/adapter_config.json").contents(limit: 1 << 20)
            let text = String(decoding: configuration, as: UTF8.self)
            #expect(text.contains("\"lora_alpha\": 6,"))
            let other = text.replacing("\"lora_alpha\": 6,", with: "\"lora_alpha\": 18,")
            try Durable.replace("\(strong.path)/adapter_config.json", with: Array(other.utf8))
            plan.tasks[0].directory = folder
            plan.tasks[1].directory = strong.path
            try expectTheMergedModel(plan)
        }
    }

    /// What scales inputs scales no bias, so that one coefficient holds for it.
    @Test func fitOfVectorsOfInputs() throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(settings(.supermerge), in: directory)
            for index in plan.tasks.indices {
                let folder = try ModelFolder(
                    "\(AdapterFixture.root)/vit/shapes", copiedTo: "\(directory)/inputs\(index)")
                try folder.change(Adapter.weightsName) { tensors in
                    tensors = tensors.filter { !$0.key.hasSuffix(".ia3_l") || $0.key.contains("fc2") }
                    for (name, vector) in tensors where name.hasSuffix(".ia3_l") && index == 1 {
                        tensors[name] = .init(vector.values(Float.self).map { 2 - $0 / 2 }, .f32, shape: vector.shape)
                    }
                }
                plan.tasks[index].directory = folder.path
            }
            try expectTheMergedModel(plan)
        }
    }

    @Test func ranksAddUp() throws {
        try Fixture.temporarily { directory in
            let plan = try plan(["lora", "rslora"], settings(.taskArithmetic), in: directory)
            _ = try MergeRun(plan, report: { _ in }).run()
            let adapter = try Adapter(
                directory: plan.output + "/adapter", base: Checkpoint(directory: plan.base.directory))
            // 4 + 4, and 4 + 2 where rank_pattern says so.
            for (name, rank) in [("first", 8), ("square", 6)] {
                let structure = adapter.updates["\(name).weight"]?.structure
                guard case .lowRank(_, _, rank, scale: 1)? = structure else {
                    Issue.record("\(name): \(String(describing: structure))")
                    continue
                }
            }
            #expect(adapter.file.entries.count == 4 && adapter.configuration.rank == 8)
        }
    }

    @Test func reproducedItIsTheSame() throws {
        try Fixture.temporarily { directory in
            var plan = try plan(["lora", "rslora"], settings(.taskArithmetic), in: directory)
            let outputs = try MergeRun(plan, report: { _ in }).run().outputs
            let release = plan.output
            plan.output = directory + "/again"
            try Durable.createDirectories(plan.output)
            #expect(try MergeRun(plan, report: { _ in }).reproduce(release: release) == outputs)
        }
    }

    private func refusal(_ plan: MergePlan) throws -> MergeError {
        try #require(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
    }

    @Test(arguments: [(["lora", "ia3"], "is IA3"), (["ia3", "lora"], "is LORA")])
    func anotherKindIsRefused(_ names: [String], _ word: String) throws {
        try Fixture.temporarily { directory in
            let fault = try refusal(plan(names, settings(.taskArithmetic), in: directory))
            #expect(fault.kind == .badTask && fault.task == "task1" && fault.message.contains(word))
            #expect(try Durable.list(directory + "/output").isEmpty)
        }
    }

    @Test func fullWeightsAreRefused() throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(settings(.supermerge), in: directory)
            plan.tasks[0].directory = "\(AdapterFixture.root)/vit/letters"
            let fault = try refusal(plan)
            #expect(fault.kind == .badTask && fault.task == "shapes" && fault.message.contains("full weights"))
        }
    }

    @Test(arguments: [MergeSettings.Granularity.tensor, .rowColumn])
    func vectorsThatAFitTearsApartAreRefused(_ granularity: MergeSettings.Granularity) throws {
        try Fixture.temporarily { directory in
            var settings = try settings(.supermerge)
            settings.granularity = granularity
            var plan = try Fixture.plan(settings, in: directory)
            for index in plan.tasks.indices { plan.tasks[index].directory = "\(AdapterFixture.root)/vit/shapes" }
            let fault = try refusal(plan)
            #expect(fault.message.contains("(IA)³") || fault.message.contains("weight and bias"), "\(fault.message)")
            #expect(fault.message.contains("adapter to false"))
        }
    }

    @Test func settingsThatLeaveNoAdapterHaveAFault() throws {
        var settings = MergeSettings()
        #expect(settings.adapterFault == nil)
        settings.writesAdapter = true
        #expect(settings.adapterFault == nil)
        settings.granularity = .element
        #expect(settings.adapterFault?.contains("element") == true)
        settings.method = .taskArithmetic
        #expect(settings.adapterFault == nil)
        for method in [MergeSettings.Method.ties, .dare] {
            settings.method = method
            #expect(settings.adapterFault?.contains(method.rawValue) == true)
        }
    }
}
