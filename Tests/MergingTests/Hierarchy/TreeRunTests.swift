import Files
import Foundation
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Whole hierarchical merges on the tiny fixture.
@Suite(.serialized)
struct TreeRunTests {
    /// A task's coefficients by layer, one for each row: the products of those of the stored fits on its way to the
    /// root.
    private func products(_ result: MergeResult, _ plan: MergePlan) throws -> [String: [String: [Double]]] {
        let layers = try MergeContext(plan).layers
        let store = NodeStore(directory: try #require(plan.tree))
        let nodes = Dictionary(uniqueKeysWithValues: result.tree.map { ($0.digest, $0) })
        var products: [String: [String: [Double]]] = [:]
        var open = [try #require(result.tree.last)]
        while let node = open.popLast() {
            open += node.sources.compactMap { nodes[$0] }
            var weights = MergingWeights(
                taskCount: node.sources.count, layers: layers, coefficient: 0, squash: .tanh)
            weights.values = try #require(store.fit(node.digest, count: weights.values.count)).weights
            for (place, source) in node.sources.enumerated() {
                for task in nodes[source]?.tasks ?? [source] {
                    for (index, layer) in layers.enumerated() {
                        let own = weights.coefficients(task: place, layer: index)
                        let above = products[task]?[layer.name] ?? own.map { _ in 1 }
                        products[task, default: [:]][layer.name] = zip(own, above).map(*)
                    }
                }
            }
        }
        return products
    }

    @Test(arguments: [MergeSettings.Start.correction, .calibrated], [MergeSettings.Strategy.hierarchical, .auto])
    func refusesAStartThatATreeCannotHave(start: MergeSettings.Start, strategy: MergeSettings.Strategy) throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var settings = try fixture.settings()
            (settings.start, settings.strategy, settings.memory) = (start, strategy, 1)
            let plan = try fixture.plan(into: "merged", settings)
            let fault = try MemoryEstimate.$isEnforced.withValue(false) {
                try #require(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            }
            #expect(fault.message.contains("start \(start.rawValue) can't be had with strategy hierarchical"))
        }
    }

    @Test func saysThatATreeStartsAtTheTaskVectors() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var settings = try fixture.settings()
            settings.start = .auto
            let result = try MergeRun(fixture.plan(into: "merged", settings), report: { _ in }).run()
            #expect(result.start?.start == .taskVectors && result.start?.reason.contains("tree") == true)
        }
    }

    @Test(arguments: [MergeSettings.Granularity.tensor, .row], [TreeFixture.four, TreeFixture.eight])
    func whatIsWrittenIsTheSumByTheProductsOnTheWaysToTheRoot(
        granularity: MergeSettings.Granularity, names: [String]
    ) throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var settings = try fixture.settings()
            settings.granularity = granularity
            let plan = try fixture.plan(names, into: "merged", settings)
            let result = try MergeRun(plan, report: { _ in }).run()
            #expect(result.tree.count == names.count - 1)
            let halves = result.tree.last.map(\.children)?.compactMap { half in
                result.tree.first { $0.digest == half }?.tasks.sorted()
            }
            #expect(halves == [names.filter { $0.hasPrefix("a") }, names.filter { $0.hasPrefix("b") }])
            #expect(fixture.models(result).count == (names.count == 8 ? 4 : 0))
            #expect(result.tree.allSatisfy { $0.steps == 6 && !$0.isReused })

            let products = try products(result, plan)
            let file = try SafetensorsFile(file: ReadableFile(path: plan.output + "/" + Coefficients.path))
            let base = try Checkpoint(directory: plan.base.directory)
            let merged = try Checkpoint(directory: plan.output)
            let tasks = try plan.tasks.map { try Checkpoint(directory: $0.directory) }
            #expect(merged.names.count == file.entries.count)
            for name in merged.names {
                let entry = try #require(file.entry(name))
                let written = try file.tensor(entry).doubles()
                let expected = try plan.tasks.flatMap { try #require(products[$0.name]?[name]) }
                #expect(written.count == expected.count)
                #expect(zip(written, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(name)")

                let origin = try base.tensor(name).doubles()
                let rows = expected.count / tasks.count
                let stride = origin.count / rows
                var wanted = origin
                for (task, checkpoint) in tasks.enumerated() {
                    let own = try checkpoint.tensor(name).doubles()
                    for index in origin.indices {
                        wanted[index] += expected[task * rows + index / stride] * (own[index] - origin[index])
                    }
                }
                let got = try merged.tensor(name).doubles()
                #expect(zip(got, wanted).allSatisfy { abs($0 - $1) <= 1e-6 * max(1, abs($1)) }, "\(name)")
            }
            for (name, values) in result.coefficients {
                for (task, value) in zip(plan.tasks, values) {
                    let rows = try #require(products[task.name]?[name])
                    #expect(abs(value - rows.reduce(0, +) / Double(rows.count)) < 1e-12, "\(name) of \(task.name)")
                }
            }
        }
    }

    @Test(arguments: [MergeSettings.Loss.labels, .both])
    func oneNodeForAllTasksIsAJointFit(loss: MergeSettings.Loss) throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var settings = try fixture.settings()
            settings.loss = loss
            settings.fanIn = 4
            let tree = try fixture.merge(into: "tree", settings)
            settings.strategy = .joint
            let joint = try fixture.merge(into: "joint", settings)
            #expect(tree.outputs == joint.outputs)
            #expect(tree.curve == joint.curve)
            #expect(tree.tasks == joint.tasks)
            #expect(tree.tree.count == 1 && joint.tree.isEmpty)
        }
    }

    @Test func oneTaskIsATreeToo() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var settings = try fixture.settings()
            let tree = try fixture.merge(["a1"], into: "tree", settings)
            settings.strategy = .joint
            #expect(try fixture.merge(["a1"], into: "joint", settings).outputs == tree.outputs)
        }
    }

    @Test func sameInputsGiveTheSameBytes() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            let first = try fixture.merge(into: "1", store: "one")
            let second = try fixture.merge(into: "2", store: "two")
            #expect(first.outputs == second.outputs && !first.outputs.isEmpty)
            #expect(first.tree == second.tree)
            #expect(first.tasks == second.tasks)
        }
    }

    @Test func adaMergingGrowsATreeToo() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var settings = try fixture.settings()
            settings.method = .adamerging
            let result = try fixture.merge(into: "merged", settings)
            #expect(result.tree.count == 3)
            #expect(result.coefficients.values.allSatisfy { $0.allSatisfy((0...1).contains) })
        }
    }

    /// Three fits of six steps: in each of them, and between two.
    @Test(arguments: [1, 5, 6, 7, 12, 16])
    func stoppedAtAnyStepItGoesOnToTheSameBytes(stop: Int) throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            let whole = try fixture.merge(into: "whole", store: "other")
            let plan = try fixture.plan(into: "parts")
            var steps = 0
            #expect(throws: MergeRun.Stopped.self) {
                try MergeRun(plan) { event in
                    if case .progress(let progress) = event, progress.phase == .fitting { steps = progress.done }
                } shouldStop: {
                    steps >= stop
                }.run()
            }
            #expect(steps == stop)
            var resumedAt = 0
            let rest = try MergeRun(plan) { event in
                if case .started(let started) = event { resumedAt = started.resumedAt }
            }.run()
            #expect(resumedAt == stop % 6)
            #expect(rest.outputs == whole.outputs)
            #expect(rest.curve == whole.curve)
            #expect(rest.nodes(reused: true).count == stop / 6)
            #expect(rest.tree.map(\.digest) == whole.tree.map(\.digest))
        }
    }

    @Test func progressCountsTheStepsOfAllFits() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var steps: [Int] = []
            var totals: Set<Int> = []
            _ = try MergeRun(fixture.plan(into: "merged")) { event in
                guard case .progress(let progress) = event, progress.phase == .fitting else { return }
                steps.append(progress.done)
                totals.insert(progress.total)
            }.run()
            #expect(steps == Array(1...18) && totals == [18])
        }
    }

    @Test func examplesHeadsAndTeachersStayInTheirFiles() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var settings = try fixture.settings()
            settings.loss = .distillation
            for (strategy, isResident) in [(MergeSettings.Strategy.joint, true), (.hierarchical, false)] {
                settings.strategy = strategy
                let context = try MergeContext(fixture.plan(into: strategy.rawValue, settings))
                let evaluation = try #require(context.evaluation)
                let evaluator = ModelEvaluator(context, evaluation, try ModelParameters(layers: context.layers))
                var result = MergeResult(tasks: TreeFixture.four.map { TaskResult(task: $0, fitted: 0) })
                try evaluator.scoreOriginals(&result) { _, _ in }
                let teachers = try evaluator.teachers.map { try #require($0).residentBytes }
                #expect((evaluation.residentBytes > 0) == isResident)
                #expect(teachers.allSatisfy { ($0 > 0) == isResident })
            }
        }
    }
}
