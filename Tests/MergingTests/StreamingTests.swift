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
            let result = try MergeRun(plan, report: { _ in }).run()
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

    @Test func aFitOverAdaptersIsTheSame() throws {
        try Fixture.temporarily { directory in
            var settings = try Fixture.settings()
            settings.strategy = .joint
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
}
