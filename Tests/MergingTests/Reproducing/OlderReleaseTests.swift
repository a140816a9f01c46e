import Files
import Foundation
import Safetensors
import Testing
import WorkerProtocol

@testable import Merging

/// Releases that a version made which knew less of names: their files are written here as it wrote them.
@Suite(.serialized)
struct OlderReleaseTests {
    private let embedding = LanguageFixture.embedding
    private let output = LanguageFixture.output

    /// A tiny BERT, whose tasks bring a norm of their own.
    private func norms(
        in directory: String, _ method: MergeSettings.Method, isArchived: Bool, isOld: Bool
    ) throws -> ArchitectureFixture {
        try Durable.createDirectories(directory)
        var settings = try ArchitectureFixture.settings()
        settings.steps = 2
        settings.method = method
        let fixture = try ArchitectureFixture("bert", in: directory, settings: settings)
        if !isArchived { try Durable.remove(fixture.base.path + "/graph.pt2") }
        for name in ArchitectureFixture.tasks {
            try ModelFolder(at: "\(directory)/\(name)").change { tensors in
                tensors["extra.LayerNorm.weight"] = .init([1, 2, 3] as [Float], .f32)
            }
        }
        guard isOld else { return fixture }
        for name in ["base"] + ArchitectureFixture.tasks {
            try ModelFolder(at: "\(directory)/\(name)").rename(LegacyNamesTests.old)
        }
        return fixture
    }

    private func rename(_ file: String, in folder: ModelFolder, _ body: (String) -> String) throws {
        try folder.change(file) { tensors in
            tensors = Dictionary(uniqueKeysWithValues: tensors.map { (body($0.key), $0.value) })
        }
    }

    private func expectSame(
        _ plan: MergePlan, _ result: MergeResult, in release: String, at location: SourceLocation = #_sourceLocation
    ) throws {
        let reproduction = try RecordedRelease.reproduce(RecordedRelease.record(plan, result), release)
        #expect(reproduction.outcome == .same, "\(reproduction.text)", sourceLocation: location)
        #expect(
            Set(reproduction.outputs.map(\.name)) == Set(result.outputs.map(\.name)), sourceLocation: location)
    }

    private func expectRefusal(
        _ kind: MergeError.Kind, _ plan: MergePlan, at location: SourceLocation = #_sourceLocation
    ) {
        let failure = #expect(throws: MergeError.self, sourceLocation: location) {
            _ = try MergeRun(plan, report: { _ in }).run()
        }
        #expect(failure?.kind == kind, sourceLocation: location)
    }

    /// The names of 2018 were layers, coefficients and heads as they stood.
    @Test(
        arguments: [MergeSettings.Method.supermerge, .average, .taskArithmetic, .ties, .dare], [true, false])
    func normsComeOutUnderTheNamesOfTheirFiles(method: MergeSettings.Method, isArchived: Bool) throws {
        try Fixture.temporarily { directory in
            let today = try norms(in: directory + "/today", method, isArchived: isArchived, isOld: false)
            var result = try today.run()
            let release = ModelFolder(at: today.plan.output)
            for place in result.outputs.indices where result.outputs[place].name.hasSuffix(".safetensors") {
                let name = result.outputs[place].name
                try rename(name, in: release, LegacyNamesTests.old)
                let file = try ReadableFile(path: "\(release.path)/\(name)", followingLinks: true)
                result.outputs[place] = SourceFile(name: name, bytes: file.size, sha256: try file.sha256())
            }
            let coefficients = try release.tensors(Coefficients.path)
            let head = try release.tensors("heads/one.safetensors")
            try #require(coefficients.keys.contains("bert.embeddings.LayerNorm.gamma"))
            try #require(head.keys.contains("extra.LayerNorm.gamma"))
            let read = try #require(try ModelEvaluator.head(of: "one", release: release.path))
            #expect(read.keys.contains("extra.LayerNorm.weight"))

            let old = try norms(in: directory + "/old", method, isArchived: isArchived, isOld: true)
            try expectSame(old.plan, result, in: release.path)
            let outputs = try old.run().outputs
            #expect(outputs == result.outputs, "releases of such a base have the same names today")
        }
    }

    @Test(arguments: [true, false]) func aFitStartsFromCoefficientsUnderEitherName(isOld: Bool) throws {
        try Fixture.temporarily { directory in
            let fixture = try norms(in: directory, .supermerge, isArchived: true, isOld: true)
            let record = try RecordedRelease.record(fixture.plan, fixture.run())
            let release = ModelFolder(at: fixture.plan.output)
            try Durable.replace(release.path + "/release.json", with: Array(JSON.encode(record)))
            let recorded = try release.tensors(Coefficients.path)["bert.embeddings.LayerNorm.gamma"]
            let learned = try #require(recorded).values(Float.self)
            if !isOld { try rename(Coefficients.path, in: release, LegacyNames.modern) }
            let context = try MergeContext(fixture.plan, isInEvaluationContext: false)
            let start = MergingWeights(
                taskCount: 2, layers: context.layers, coefficient: 0.9, squash: fixture.plan.settings.squash)
            let warm = try Coefficients.warmStart(
                start, context.layers, of: context.base, tasks: fixture.plan.tasks, base: fixture.plan.base,
                deployed: DeployedSource(record, directory: release.path))
            #expect(warm.known == 2)
            let layer = try #require(
                context.layers.firstIndex { $0.name == "bert.embeddings.LayerNorm.weight" })
            for task in 0..<2 {
                let coefficient = try #require(warm.weights.coefficients(task: task, layer: layer).first)
                #expect(abs(coefficient - Double(learned[task])) < 1e-6 && abs(coefficient - 0.9) > 1e-3)
            }
        }
    }

    /// A language model without a graph, merged by a static method.
    private func language(
        in directory: String, _ method: MergeSettings.Method, isTied: Bool
    ) throws -> LanguageFixture {
        var fixture = try LanguageFixture(in: directory)
        fixture.plan.settings.method = method
        try Durable.remove(fixture.base.path + "/graph.pt2")
        try configure(fixture, isTied: isTied)
        return fixture
    }

    private func configure(_ fixture: LanguageFixture, isTied: Bool) throws {
        let text =
            #"{"model_type": "other", "architectures": ["OtherForCausalLM"], "tie_word_embeddings": \#(isTied)}"#
        try Durable.replace(fixture.base.path + "/config.json", with: Array(text.utf8))
    }

    /// Gives the task an output layer of its own.
    private func untie(_ fixture: LanguageFixture) throws {
        try fixture.task.change { tensors in
            let content = try #require(tensors[embedding])
            let values = content.values(Float.self).map { 1 - 2 * $0 }
            tensors[output] = .init(values, .f32, shape: content.shape)
        }
    }

    /// Without a graph nothing was tied, whatever the configuration said: two layers, or an output layer in the head.
    @Test(arguments: MergeSettings.Method.allCases.filter { !$0.needsExamples }, [true, false])
    func whatTheConfigurationTiesStaysTwoTensors(method: MergeSettings.Method, isTwiceInBase: Bool) throws {
        try Fixture.temporarily { directory in
            let fixture = try language(in: directory, method, isTied: false)
            try untie(fixture)
            if isTwiceInBase { try fixture.base.change { $0[output] = $0[embedding] } }
            let result = try MergeRun(fixture.plan, report: { _ in }).run()
            let coefficients = try ModelFolder(at: fixture.plan.output).tensors(Coefficients.path)
            try #require(coefficients.keys.contains(output) == isTwiceInBase)
            try configure(fixture, isTied: true)
            try expectSame(fixture.plan, result, in: fixture.plan.output)
            expectRefusal(.badTask, fixture.plan)
        }
    }

    @Test(arguments: [true, false]) func whatWasTiedStaysOneTensor(isTwice: Bool) throws {
        try Fixture.temporarily { directory in
            let fixture = try language(in: directory, .average, isTied: true)
            try fixture.task.change {
                $0[output] = $0[embedding]
                if !isTwice { $0[embedding] = nil }
            }
            if isTwice { try fixture.base.change { $0[output] = $0[embedding] } }
            let result = try MergeRun(fixture.plan, report: { _ in }).run()
            let coefficients = try ModelFolder(at: fixture.plan.output).tensors(Coefficients.path)
            try #require(!coefficients.keys.contains(output) && coefficients.keys.contains(embedding))
            try expectSame(fixture.plan, result, in: fixture.plan.output)
        }
    }

    /// Merges without the graph, and then puts it back.
    private func withoutGraph(_ fixture: LanguageFixture, in directory: String) throws -> MergeResult {
        let graph = fixture.base.path + "/graph.pt2"
        try FileManager.default.moveItem(atPath: graph, toPath: directory + "/graph.pt2")
        let result = try MergeRun(fixture.plan, report: { _ in }).run()
        try FileManager.default.moveItem(atPath: directory + "/graph.pt2", toPath: graph)
        return result
    }

    /// Such as one of Llama 3.1, which an older version did not build: nothing was tied by it.
    @Test func aGraphThatWasNotThereThenTiesNothing() throws {
        try Fixture.temporarily { directory in
            var fixture = try LanguageFixture(in: directory)
            fixture.plan.settings.method = .average
            try untie(fixture)
            try fixture.base.change { $0[output] = $0[embedding] }
            let result = try withoutGraph(fixture, in: directory)
            try expectSame(fixture.plan, result, in: fixture.plan.output)
            expectRefusal(.badTask, fixture.plan)
        }
    }

    /// With the graph's ties one of two different tensors was merged, and the other lost without a word.
    @Test func whatIsRefusedTodayAsUntiedComesOut() throws {
        try Fixture.temporarily { directory in
            var fixture = try LanguageFixture(in: directory)
            fixture.plan.settings.method = .average
            let result = try MergeRun(fixture.plan, report: { _ in }).run()
            try untie(fixture)
            try expectSame(fixture.plan, result, in: fixture.plan.output)
            expectRefusal(.badTask, fixture.plan)
        }
    }

    @Test func whatIsRefusedTodayAsMisnamedComesOut() throws {
        try Fixture.temporarily { directory in
            var fixture = try LanguageFixture(in: directory)
            fixture.plan.settings.method = .average
            for folder in [fixture.base, fixture.task] {
                try folder.rename { $0 == "model.norm.weight" ? "model.norms.weight" : $0 }
            }
            let result = try withoutGraph(fixture, in: directory)
            try expectSame(fixture.plan, result, in: fixture.plan.output)
            expectRefusal(.badBase, fixture.plan)
        }
    }
}
