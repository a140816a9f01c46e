import Files
import Foundation
import Testing
import WorkerProtocol

@testable import Merging

/// Which cosines of task vectors are measured, and which are remembered.
@Suite(.serialized)
struct SimilarityTests {
    @Test func onlyWhatIsMissingIsMeasured() {
        var known = Similarity()
        #expect(known.unmeasured(of: ["a"]) == [])
        #expect(known.unmeasured(of: ["a", "b", "c", "d"]).count == 3)
        for pair in [["a", "b"], ["a", "d"], ["b", "d"]] { known[pair[0], pair[1]] = 0.5 }
        #expect(known.unmeasured(of: ["a", "b", "c", "d"]) == [2])
        #expect(known.unmeasured(of: ["a", "b", "d"]) == [])
        #expect(known.unmeasured(of: (0..<33).map { "t\($0)" }) == [])
    }

    @Test func ofVeryManyPairsTheStrongestAreKept() {
        var many = Similarity()
        for place in 0..<3000 { many["a", "t\(10_000 + place)"] = Double(place) / 3000 * (place % 2 == 0 ? 1 : -1) }
        let kept = many.kept
        #expect(kept.count == 2048 && kept.allSatisfy { abs($0.cosine) >= 952.0 / 3000 })
        #expect(kept == kept.sorted { $0.second < $1.second })
    }

    @Test func aFitOfAllTasksHasTheCosinesOfTheFiles() throws {
        try Fixture.temporarily { directory in
            var settings = try Fixture.settings()
            settings.steps = 2
            settings.strategy = .joint
            let plan = try Fixture.plan(settings, in: directory)
            let pairs = try MergeRun(plan, report: { _ in }).run().similarities
            #expect(pairs.map { [$0.first, $0.second] } == [["letters", "shapes"]])
            let context = try MergeContext(plan)
            let cosine = try cosine(0, 1, context)
            #expect(abs(pairs[0].cosine - cosine) < 1e-5)
            #expect(abs(cosine) > 1e-3)
        }
    }

    @Test func whatTheDeployedReleaseKnowsIsNotMeasuredAgain() throws {
        try Fixture.temporarily { directory in
            var settings = try Fixture.settings()
            settings.steps = 1
            var plan = try Fixture.plan(settings, in: directory)
            var result = MergeResult(tasks: [])
            result.similarities = [
                TaskSimilarity(first: "letters", second: "shapes", cosine: 0.125),
                TaskSimilarity(first: "gone", second: "shapes", cosine: 0.5),
            ]
            func record(_ released: MergePlan) {
                let record = ReleaseRecord(
                    version: 1, created: "", merge: "m", settings: settings, base: released.base,
                    tasks: released.tasks, result: result)
                plan.deployed = DeployedSource(record, directory: directory)
            }
            record(plan)
            #expect(plan.knownSimilarities().pairs == [result.similarities[0]])
            var changed = plan
            changed.tasks[1].digest = "another"
            record(changed)
            #expect(plan.knownSimilarities().pairs == [])
            changed = plan
            changed.base.digest = "another"
            record(changed)
            #expect(plan.knownSimilarities().pairs == [])
        }
    }

    /// By its definition, over the layers that both move.
    private func cosine(_ first: Int, _ second: Int, _ context: MergeContext) throws -> Double {
        var (product, norms) = (0.0, [0.0, 0.0])
        for layer in context.layers {
            let origin = try context.base.parameters([layer.name])[layer.name]?.doubles() ?? []
            let vectors = try [first, second].map { task -> [Double] in
                guard !context.tasks[task].owns(layer.name) else { return origin.map { _ in 0 } }
                let values = try context.tasks[task].checkpoint.parameters([layer.name])[layer.name]?.doubles() ?? []
                return zip(values, origin).map { $0 - $1 }
            }
            product += zip(vectors[0], vectors[1]).reduce(0) { $0 + $1.0 * $1.1 }
            for place in 0...1 { norms[place] += vectors[place].reduce(0) { $0 + $1 * $1 } }
        }
        return product / (norms[0] * norms[1]).squareRoot()
    }
}
