import Foundation
import Testing
import WorkerProtocol

@testable import Merging

/// Second merges over the store of a first: only what changed is fitted.
@Suite(.serialized)
struct TreeChangeTests {
    @Test func nothingNewIsNothingFitted() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            let first = try fixture.merge(into: "1")
            let second = try fixture.merge(into: "2")
            #expect(second.nodes(reused: false).isEmpty)
            #expect(second.outputs == first.outputs && second.curve == first.curve)
        }
    }

    @Test func anArrivalIsFittedOnlyOnItsWayToTheRoot() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            _ = try fixture.merge(into: "1")
            let result = try fixture.merge(TreeFixture.four + ["a3"], into: "2")
            #expect(result.nodes(reused: true) == [["b1", "b2"]])
            #expect(
                result.nodes(reused: false) == [["a1", "a3"], ["a1", "a3", "a2"], ["a1", "a3", "a2", "b1", "b2"]])
            #expect(result.coefficients.values.allSatisfy { $0.count == 5 })
            #expect(result.tasks.allSatisfy { $0.merged != nil })
        }
    }

    /// A node that was there goes on from its fit as an arrival does; a pair that was not has the steps of a whole fit.
    @Test func anArrivalTakesFewStepsWhereItsWayWasFitted() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var settings = try fixture.settings()
            (settings.steps, settings.patience) = (120, 1000)
            let first = try fixture.merge(into: "1", settings)
            #expect(first.tree.allSatisfy { $0.steps == 120 })
            let result = try fixture.merge(TreeFixture.four + ["a3"], into: "2", settings)
            let fitted = result.tree.filter { !$0.isReused }
            #expect(fitted.map(\.tasks.count) == [2, 3, 5])
            #expect(fitted.map(\.steps) == [120, settings.arrivalSteps, settings.arrivalSteps])
            #expect(settings.arrivalSteps < 120)
        }
    }

    @Test func aTaskThatWentLeavesOnlyItsWayToFit() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            let first = try fixture.merge(into: "1")
            let second = try fixture.merge(["a1", "b1", "b2"], into: "2")
            #expect(second.nodes(reused: true) == [["b1", "b2"]])
            #expect(second.nodes(reused: false) == [["a1", "b1", "b2"]])
            let third = try fixture.merge(into: "3")
            #expect(third.nodes(reused: false).isEmpty, "it came back, and its fits were kept")
            #expect(third.outputs == first.outputs)
        }
    }

    @Test func aChangedTaskIsFittedOnlyOnItsWayToTheRoot() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            _ = try fixture.merge(into: "1")
            try fixture.make("b2", growth: 1.1)
            let result = try fixture.merge(into: "2")
            #expect(result.nodes(reused: true) == [["a1", "a2"]])
            #expect(result.nodes(reused: false) == [["b1", "b2"], TreeFixture.four])
        }
    }

    @Test func aChangedWeightOfATaskIsAChange() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            _ = try fixture.merge(into: "1")
            var plan = try fixture.plan(into: "2")
            plan.tasks[0].settings.weight = 3
            let result = try MergeRun(plan, report: { _ in }).run()
            #expect(result.nodes(reused: true) == [["b1", "b2"]])
        }
    }

    @Test func otherSettingsOrAnotherBaseFitEverythingAnew() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            _ = try fixture.merge(into: "1")
            var settings = try fixture.settings()
            settings.steps = 3
            #expect(try fixture.merge(into: "2", settings).nodes(reused: true).isEmpty)
            settings.fanIn = 3
            #expect(try fixture.merge(into: "wide", settings).nodes(reused: true).isEmpty)
            var plan = try fixture.plan(into: "3", settings)
            plan.base.digest = "another"
            #expect(try MergeRun(plan, report: { _ in }).run().nodes(reused: true).isEmpty)
        }
    }

    /// In a process of its own: a merge sets the thread count of the whole process.
    @Test func reusesNodesForOtherThreadCountAndMemoryInOwnProcess() async {
        await #expect(processExitsWith: .success) {
            try Fixture.temporarily { directory in
                let fixture = try TreeFixture(in: directory)
                _ = try fixture.merge(into: "1")
                var settings = try fixture.settings()
                (settings.threads, settings.memory) = (2, 64 << 20)
                #expect(try fixture.merge(into: "2", settings).nodes(reused: false).isEmpty)
            }
        }
    }

    /// A chain of arrivals and one merge of all: both are trees over all of them.
    @Test func arrivalsOneAtATimeEndWithEveryTask() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var tasks: [String] = []
            for name in ["b2", "a1", "b3", "a3", "a2", "b1"] {
                tasks = (tasks + [name]).sorted()
                let result = try fixture.merge(tasks, into: "until-" + name)
                #expect(result.tree.last?.tasks.sorted() == tasks)
                #expect(result.nodes(reused: false).allSatisfy { $0.contains(name) })
                #expect(result.tree.allSatisfy { $0.children.count <= 2 })
            }
        }
    }
}
