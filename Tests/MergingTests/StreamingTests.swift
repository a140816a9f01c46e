import Files
import Foundation
import Testing
import WorkerProtocol

@testable import Merging

/// A memory that does not suffice for the model has it streamed, to the same bytes.
@Suite(.serialized)
struct StreamingTests {
    /// What a merge wrote and found out, with much memory and with next to none.
    private func compare(_ plan: MergePlan, isScored: Bool = true) throws {
        var outputs: [[String: [UInt8]]] = []
        var results: [MergeResult] = []
        for memory: Int64 in [8 << 30, 1] {
            var plan = plan
            plan.settings.memory = memory
            let result = try MemoryEstimate.$isEnforced.withValue(false) {
                try MergeRun(plan, report: { _ in }).run()
            }
            #expect(result.notes.contains { $0.contains("streamed in") } == (memory == 1))
            let files = try #require(FileManager.default.enumerator(atPath: plan.output)).compactMap { $0 as? String }
            outputs.append(
                try files.filter { $0.hasSuffix(".safetensors") }.reduce(into: [:]) {
                    $0[$1] = Array(try Durable.contents(plan.output + "/" + $1))
                })
            results.append(result)
            for folder in [plan.output, plan.scratch, plan.tree].compactMap(\.self) {
                try Durable.remove(folder)
                try Durable.createDirectories(folder)
            }
        }
        #expect(outputs[0].keys.sorted() == outputs[1].keys.sorted() && !outputs[0].isEmpty)
        for (name, bytes) in outputs[0] { #expect(outputs[1][name] == bytes, "\(name)") }
        #expect(results[0].curve == results[1].curve)
        #expect(results[0].coefficients == results[1].coefficients)
        #expect(results[0].tasks == results[1].tasks)
        if isScored { #expect(results[0].tasks.allSatisfy { $0.merged != nil && $0.own != nil }) }
    }

    @Test(arguments: ArchitectureFixture.families) func aFitIsTheSame(family: String) throws {
        try Fixture.temporarily { directory in
            var settings = try ArchitectureFixture.settings()
            settings.strategy = .joint
            settings.steps = 4
            settings.evaluateEvery = 2
            settings.granularity = family == "t5" ? .tensor : .rowColumn
            settings.loss = ["bert", "llama"].contains(family) ? .both : .labels
            try compare(ArchitectureFixture(family, in: directory, settings: settings).plan)
        }
    }

    @Test func aFitOfOneTaskWithTiedEmbeddingsIsTheSame() throws {
        try Fixture.temporarily { directory in
            var fixture = try LanguageFixture(in: directory)
            fixture.plan.settings.strategy = .joint
            try compare(fixture.plan)
        }
    }

    @Test(arguments: [MergeSettings.Method.supermerge, .calibrate]) func adaptersGiveTheSame(
        method: MergeSettings.Method
    ) throws {
        try Fixture.temporarily { directory in
            var settings = try Fixture.settings()
            (settings.method, settings.strategy) = (method, .joint)
            settings.steps = 4
            var plan = try Fixture.plan(settings, in: directory)
            for index in plan.tasks.indices {
                plan.tasks[index].directory = "\(AdapterFixture.root)/vit/\(plan.tasks[index].name)"
            }
            try compare(plan)
        }
    }

    @Test func aTreeIsTheSame() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var settings = try fixture.settings()
            settings.strategy = .hierarchical
            try compare(fixture.plan(into: "merged", settings))
        }
    }

    @Test(arguments: [MergeSettings.Method.ties, .dare, .taskArithmetic, .adamerging])
    func otherMethodsAreTheSame(method: MergeSettings.Method) throws {
        try Fixture.temporarily { directory in
            var settings = try Fixture.settings()
            (settings.method, settings.strategy, settings.steps) = (method, .joint, 3)
            try compare(Fixture.plan(settings, in: directory))
        }
    }

    @Test(
        arguments: [MergeSettings.Method.calibrate, .regMean, .regMeanPlusPlus, .lot], ArchitectureFixture.families)
    func calibrationIsTheSame(method: MergeSettings.Method, family: String) throws {
        // It has convolutions and norms alone.
        guard family != "resnet" || [.calibrate, .lot].contains(method) else { return }
        try Fixture.temporarily { directory in
            var settings = try ArchitectureFixture.settings()
            (settings.method, settings.strategy) = (method, .joint)
            try compare(ArchitectureFixture(family, in: directory, settings: settings).plan)
        }
    }

    @Test func aFitFromACalibratedStartIsTheSame() throws {
        try Fixture.temporarily { directory in
            var settings = try Fixture.settings()
            (settings.strategy, settings.start, settings.loss) = (.joint, .calibrated, .distillation)
            (settings.steps, settings.evaluateEvery) = (4, 2)
            try compare(Fixture.plan(settings, in: directory))
        }
    }

    /// Tensors that the files hold in 16 bits stay so where only linear layers and embeddings read them.
    @Test(arguments: [MergeSettings.Method.calibrate, .supermerge, .taskArithmetic])
    func aModelOfHalvesIsTheSame(method: MergeSettings.Method) throws {
        try Fixture.temporarily { directory in
            var fixture = try LanguageFixture(in: directory)
            let moved = "model.layers.0.self_attn.q_proj.weight"
            let own = try #require(try fixture.task.tensors()[moved])
            let base = try fixture.base.tensors().mapValues(Self.halved)
            try fixture.base.write(base)
            try fixture.task.write(base.merging([moved: Self.halved(own)]) { $1 })
            (fixture.plan.settings.method, fixture.plan.settings.strategy) = (method, .joint)
            try compare(fixture.plan)
            fixture.plan.settings.memory = 1
            let context = try MemoryEstimate.$isEnforced.withValue(false) { try MergeContext(fixture.plan) }
            let parameters = try ModelParameters(context)
            try parameters.load(context.base)
            let model = try #require(context.evaluation?.model)
            let leased = try parameters.lease(model.inputs.filter { $0.kind == .parameter })
            for (name, tensor) in leased { #expect(tensor.isNarrow == (tensor.shape.count == 2), "\(name)") }
        }
    }

    /// In bfloat16, cut off.
    private static func halved(_ content: ModelFolder.Content) -> ModelFolder.Content {
        .init(content.values(Float.self).map { UInt16($0.bitPattern >> 16) }, .bf16, shape: content.shape)
    }

    @Test func refusesALimitThatNoSegmentFitsIntoAndNamesTheOneThatDoes() throws {
        try Fixture.temporarily { directory in
            var settings = try Fixture.settings()
            (settings.strategy, settings.memory) = (.joint, 1)
            let plan = try Fixture.plan(settings, in: directory)
            let error = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            let message = try #require(error?.message)
            #expect(
                message.contains("memory is too small: 0.0 MiB")
                    && message.contains("MiB, so set memory to at least that"), "\(message)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: plan.output).isEmpty)
        }
    }
}
