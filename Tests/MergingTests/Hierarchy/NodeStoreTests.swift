import Files
import Foundation
import Testing
import WorkerProtocol

@testable import Merging

/// What lies on disk between two merges, and what becomes of it when it is damaged.
@Suite(.serialized)
struct NodeStoreTests {
    @Test func modelsOfThisTreeAndFitsOfTheLastTreesAreKept() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            let first = try fixture.merge(into: "1")
            #expect(try fixture.stored("model.safetensors") == Set(first.tree.dropLast().map(\.digest)))
            #expect(try fixture.stored("fit.safetensors") == Set(first.tree.map(\.digest)))
            let second = try fixture.merge(["a1", "b1", "b2"], into: "2")
            #expect(try fixture.stored("model.safetensors") == [second.tree[0].digest])
            #expect(try fixture.stored("fit.safetensors") == Set((first.tree + second.tree).map(\.digest)))
            _ = try fixture.merge(["a1"], into: "3")
            #expect(try fixture.stored("model.safetensors").isEmpty)
        }
    }

    @Test func fitsOfTreesLongAgoAreRemoved() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var settings = try fixture.settings()
            settings.evaluateEvery = 1
            var last: [MergeResult] = []
            for steps in 1...PlantedTree.keptTrees + 2 {
                settings.steps = steps
                last.append(try fixture.merge(["a1", "b1"], into: "\(steps)", settings))
            }
            let kept = last.suffix(PlantedTree.keptTrees).flatMap(\.tree).map(\.digest)
            #expect(try fixture.stored("fit.safetensors") == Set(kept))
            #expect(kept.count == PlantedTree.keptTrees)
        }
    }

    @Test func withoutAStoreTheTreeLiesInTheScratch() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var plan = try fixture.plan(into: "merged")
            plan.tree = nil
            let result = try MergeRun(plan, report: { _ in }).run()
            #expect(try Durable.list(plan.scratch + "/tree/nodes").count == result.tree.count)
        }
    }

    @Test(arguments: ["fit.safetensors", "model.safetensors"], [true, false])
    func aTruncatedFileOfANodeIsMadeAgain(file: String, isArrival: Bool) throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            let tasks = TreeFixture.four + (isArrival ? ["a3"] : [])
            _ = try fixture.merge(into: "1", store: "sound")
            let sound = try fixture.merge(tasks, into: "2", store: "sound")
            let before = try fixture.merge(into: "3")
            try fixture.truncate(fixture.path(before.tree[1], file))
            let result = try fixture.merge(tasks, into: "4")
            #expect(result.outputs == sound.outputs)
            #expect(result.tree.map(\.digest) == sound.tree.map(\.digest))
            let isRefitted = result.nodes(reused: false).contains(["b1", "b2"])
            #expect(isRefitted == (file == "fit.safetensors"))
        }
    }

    @Test func aLostFitThatStartedFromAnotherTakesTheNodesAboveItAlong() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            _ = try fixture.merge(into: "1")
            try fixture.make("b2", growth: 1.1)
            let second = try fixture.merge(into: "2")
            try fixture.truncate(fixture.path(second.tree[1], "fit.safetensors"))
            let third = try fixture.merge(into: "3")
            #expect(third.nodes(reused: true) == [["a1", "a2"]])
            #expect(third.tree[1].digest != second.tree[1].digest)
            #expect(third.tree[2].digest != second.tree[2].digest)
        }
    }

    @Test(arguments: ["", "{", "[]", #"{"base": "base"}"#])
    func aBrokenRecordOfTheTreeIsNoTree(text: String) throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            let first = try fixture.merge(into: "1")
            try Data(text.utf8).write(to: URL(fileURLWithPath: directory + "/store/tree.json"))
            let second = try fixture.merge(into: "2")
            #expect(second.outputs == first.outputs)
        }
    }
}
