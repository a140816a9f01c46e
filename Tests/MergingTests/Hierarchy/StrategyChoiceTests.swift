import Testing
import WorkerProtocol

@testable import Merging

/// What `auto` comes to.
@Suite(.serialized)
struct StrategyChoiceTests {
    private func run(_ change: (inout MergeSettings) -> Void) throws -> (MergeResult, [StrategyChoice?]) {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var settings = try fixture.settings()
            settings.strategy = .auto
            change(&settings)
            var choices: [StrategyChoice?] = []
            let result = try MemoryEstimate.$isEnforced.withValue(false) {
                try MergeRun(fixture.plan(into: "merged", settings)) { event in
                    if case .started(let started) = event { choices.append(started.strategy) }
                }.run()
            }
            return (result, choices)
        }
    }

    @Test func muchMemoryIsIncremental() throws {
        let (result, choices) = try run { $0.memory = 8 << 30 }
        let choice = try #require(result.strategy)
        #expect(choice.strategy == .incremental && choices == [choice])
        #expect(choice.reason.contains("all 4 tasks") && choice.reason.contains("within the 8.0 GiB"))
        #expect(result.tree.isEmpty)
    }

    @Test func littleMemoryIsHierarchical() throws {
        let (result, choices) = try run { $0.memory = 64 << 20 }
        let choice = try #require(result.strategy)
        #expect(choice.strategy == .hierarchical && choices == [choice])
        #expect(choice.reason.contains("more than the 64.0 MiB") && choice.reason.contains("as a tree"))
        #expect(result.tree.count == 3)
    }

    @Test func whatIsSetIsTaken() throws {
        for strategy in [MergeSettings.Strategy.joint, .incremental, .hierarchical] {
            let (result, _) = try run { ($0.strategy, $0.memory) = (strategy, 1) }
            #expect(result.strategy == StrategyChoice(strategy: strategy, reason: "strategy is set to \(strategy)"))
        }
    }

    @Test func whereNothingIsLearnedNothingIsChosen() throws {
        let (result, choices) = try run { $0.method = .average }
        #expect(result.strategy == nil && choices == [nil])
    }

    @Test func theEstimateGrowsWithTheTasksOnlyWhereTheyAreInMemory() throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            func estimate(_ tasks: [String]) throws -> MemoryEstimate {
                let plan = try fixture.plan(tasks, into: "none")
                let context = try MergeContext(plan)
                return MemoryEstimate(
                    plan, try MergeContext.graph(plan), context.layers, context.tasks)
            }
            let two = try estimate(["a1", "b1"])
            let eight = try estimate(TreeFixture.eight)
            #expect(eight.hierarchical == two.hierarchical)
            #expect(eight.joint - eight.hierarchical == 4 * (two.joint - two.hierarchical))
            #expect(two.activations > 0 && two.tasks > 12 * 3 * 12 * 12 * 4)
        }
    }

    /// A graph whose batch and tokens are both free: attention over 40 tokens takes (40 / 10)² of what it takes over
    /// 10.
    @Test func theEstimateGrowsWithTheLengthOfTheTexts() throws {
        try Fixture.temporarily { directory in
            let fixture = try LanguageFixture(in: directory)
            func activations(tokens: Int) throws -> Int64 {
                try fixture.task.change("validation.safetensors") { tensors in
                    for (name, content) in tensors {
                        let ones = [Int64](repeating: 1, count: 12 * tokens)
                        tensors[name] = .init(ones, .i64, shape: [12, tokens] + content.shape.dropFirst(2))
                    }
                }
                let context = try MergeContext(fixture.plan)
                return MemoryEstimate(
                    fixture.plan, try MergeContext.graph(fixture.plan), context.layers, context.tasks
                ).activations
            }
            let (short, long) = (try activations(tokens: 10), try activations(tokens: 40))
            #expect(short > 0 && long >= 4 * short && long <= 16 * short, "\(short), \(long)")
        }
    }

    /// One newcomer with a few examples does not take the others' form from them.
    @Test(arguments: [([40, 40, 40, 4], true), ([30, 4, 4], false), ([8, 2000], false), ([32], true), ([31], false)])
    func theFormGoesByTheMedian(counts: [Int], hasRows: Bool) throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(MergeSettings(), tasks: [], in: directory)
            for (place, count) in counts.enumerated() {
                let task = try ModelFolder(newAt: "\(directory)/\(place)")
                try task.write(
                    ["labels": .init([Int64](repeating: 0, count: count), .i64)], to: "validation.safetensors")
                plan.tasks.append(
                    TaskSource(name: "\(place)", directory: task.path, files: [], digest: "", settings: TaskSettings()))
            }
            #expect(try plan.resolvedSettings().granularity == (hasRows ? .rowColumn : .tensor))
        }
    }

    @Test(arguments: [(0, "0.0 MiB"), (64 << 20, "64.0 MiB"), (1536 << 20, "1.5 GiB")] as [(Int64, String)])
    func sizesAreForPeople(bytes: Int64, text: String) {
        #expect(MemoryEstimate.text(bytes) == text)
    }
}
