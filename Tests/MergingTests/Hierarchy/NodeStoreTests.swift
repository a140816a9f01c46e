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
            let first = try fixture.merge(TreeFixture.eight, into: "1")
            #expect(try fixture.stored("model.safetensors") == fixture.models(first))
            #expect(fixture.models(first).count == 4)
            #expect(try fixture.stored("fit.safetensors") == Set(first.tree.map(\.digest)))
            let second = try fixture.merge(Array(TreeFixture.eight.dropLast(2)), into: "2")
            #expect(try fixture.stored("model.safetensors") == fixture.models(second))
            #expect((1..<4).contains(fixture.models(second).count))
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
            for steps in 1...SavedTree.keptTrees + 2 {
                settings.steps = steps
                last.append(try fixture.merge(["a1", "b1"], into: "\(steps)", settings))
            }
            let kept = last.suffix(SavedTree.keptTrees).flatMap(\.tree).map(\.digest)
            #expect(try fixture.stored("fit.safetensors") == Set(kept))
            #expect(kept.count == SavedTree.keptTrees)
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
            let first = TreeFixture.eight.filter { $0 != "a4" }
            let tasks = isArrival ? TreeFixture.eight : first
            _ = try fixture.merge(first, into: "1", store: "sound")
            let sound = try fixture.merge(tasks, into: "2", store: "sound")
            let before = try fixture.merge(first, into: "3")
            let models = fixture.models(before)
            let node = try #require(before.tree.first { models.contains($0.digest) && $0.tasks[0].hasPrefix("b") })
            try fixture.truncate(fixture.path(node, file))
            let result = try fixture.merge(tasks, into: "4")
            #expect(result.outputs == sound.outputs)
            #expect(result.tree.map(\.digest) == sound.tree.map(\.digest))
            #expect(result.nodes(reused: false).contains(node.tasks) == (file == "fit.safetensors"))
            if isArrival {
                let path = fixture.path(node, "model.safetensors")
                let sound = fixture.path(node, "model.safetensors", store: "sound")
                #expect(try Durable.contents(path) == Durable.contents(sound))
            }
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
