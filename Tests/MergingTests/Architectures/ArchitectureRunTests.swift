import Files
import Foundation
import Safetensors
import Testing
import WorkerProtocol

@testable import Merging

/// Whole merges of every family that people fine-tune.
@Suite(.serialized)
struct ArchitectureRunTests {
    @Test(arguments: ArchitectureFixture.families) func isFittedAndWritten(family: String) throws {
        try Fixture.temporarily { directory in
            let fixture = try ArchitectureFixture(family, in: directory)
            let result = try fixture.run()
            let losses = result.curve.dropFirst().map(\.loss)
            #expect(losses.last! < losses.first!, "\(losses)")
            for task in result.tasks {
                let (own, merged) = (try #require(task.own), try #require(task.merged))
                #expect(own.loss.isFinite && merged.loss.isFinite && merged.examples == 1)
            }
            try expectTheSum(fixture, result)
            let head = directory + "/output/heads/one.safetensors"
            let hasHead = try fixture.base.tensors().count < ModelFolder(at: directory + "/one").tensors().count
            #expect(try (FileStatus.ifPresent(head) != nil) == hasHead)
            let description = directory + "/output/heads/one.json"
            #expect(try (FileStatus.ifPresent(description) != nil) == hasHead)
        }
    }

    /// A base without graph.pt2. ResNet is left out: no graph is built for it.
    @Test(arguments: ArchitectureFixture.families.filter { $0 != "resnet" })
    func aGraphThatIsBuiltGivesTheSameScores(family: String) throws {
        try Fixture.temporarily { directory in
            var results: [MergeResult] = []
            for isArchived in [true, false] {
                let folder = "\(directory)/\(isArchived)"
                let fixture = try ArchitectureFixture(family, in: folder, isArchived: isArchived)
                let path = fixture.base.path + "/graph.pt2"
                #expect(FileManager.default.fileExists(atPath: path) == isArchived)
                results.append(try fixture.run())
                try expectTheSum(fixture, results[results.count - 1])
            }
            let (archived, built) = (results[0], results[1])
            let pairs = [(archived.curve.map(\.loss), built.curve.map(\.loss))]
            let scores = zip(archived.tasks, built.tasks).map { (Self.figures($0), Self.figures($1)) }
            for (expected, found) in pairs + scores {
                #expect(found.count == expected.count && !expected.isEmpty)
                #expect(
                    zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-4 * abs($1) }, "\(found) is not \(expected)")
            }
        }
    }

    /// Losses and metrics of the base, the task's own checkpoint and the merged model.
    private static func figures(_ task: TaskResult) -> [Double] {
        [task.base, task.own, task.merged].compactMap(\.self).flatMap { [$0.loss, $0.value] }
    }

    /// θm = θp + Σ c τ with the coefficients that the record holds; integers are the base's.
    private func expectTheSum(_ fixture: ArchitectureFixture, _ result: MergeResult) throws {
        let base = try fixture.base.tensors()
        let tasks = try fixture.plan.tasks.map { try ModelFolder(at: $0.directory).tensors() }
        let written = try ModelFolder(at: fixture.plan.output).tensors()
        #expect(written.keys.sorted() == base.keys.sorted())
        for (name, content) in written {
            guard content.dtype == .f32 else {
                #expect(content.bytes == base[name]?.bytes, "\(name)")
                continue
            }
            let coefficients = try #require(result.coefficients[name])
            let origin = try #require(base[name]).values(Float.self)
            let own = try tasks.map { try #require($0[name]).values(Float.self) }
            let expected = origin.indices.map { place in
                zip(own, coefficients).reduce(Double(origin[place])) {
                    $0 + $1.1 * (Double($1.0[place]) - Double(origin[place]))
                }
            }
            #expect(
                zip(content.values(Float.self), expected).allSatisfy { abs(Double($0) - $1) < 2e-6 }, "\(name)")
        }
    }

    /// Batch norm's running means and variances, which no gradient reaches.
    @Test(arguments: [MergeSettings.Method.supermerge, .average, .taskArithmetic, .ties, .dare, .adamerging])
    func runningStatisticsAreTheMeanOfTheTasks(method: MergeSettings.Method) throws {
        try Fixture.temporarily { directory in
            var settings = try ArchitectureFixture.settings()
            settings.method = method
            settings.scale = 0.9
            let fixture = try ArchitectureFixture("resnet", in: directory, settings: settings)
            let result = try fixture.run()
            #expect(result.notes.contains { $0.contains("12 tensors of running statistics") }, "\(result.notes)")
            let tasks = try fixture.plan.tasks.map { try ModelFolder(at: $0.directory).tensors() }
            let written = try ModelFolder(at: fixture.plan.output).tensors()
            let statistics = written.filter { $0.key.hasSuffix("running_mean") || $0.key.hasSuffix("running_var") }
            #expect(statistics.count == 12)
            for (name, content) in statistics {
                let own = try tasks.map { try #require($0[name]).values(Float.self) }
                let mean = zip(own[0], own[1]).map { ($0 + $1) / 2 }
                #expect(zip(content.values(Float.self), mean).allSatisfy { abs($0 - $1) < 1e-6 }, "\(name)")
                #expect(result.coefficients[name] == [0.5, 0.5] || method == .supermerge)
            }
        }
    }

    /// With the coefficient that the other tensors start from, eight tasks would take these variances below zero.
    @Test func variancesStayPositiveHoweverManyTasks() throws {
        try Fixture.temporarily { directory in
            var fixture = try ArchitectureFixture("resnet", in: directory)
            try ModelFolder(at: directory + "/one").change { tensors in
                for (name, content) in tensors where name.hasSuffix("running_var") {
                    tensors[name] = .init(content.values(Float.self).map { 0.05 * $0 }, .f32, shape: content.shape)
                }
            }
            let one = fixture.plan.tasks[0]
            fixture.plan.tasks = (0..<8).map { place in
                var task = one
                task.name = "task\(place)"
                return task
            }
            let result = try fixture.run()
            #expect(result.tasks.allSatisfy { $0.merged?.loss.isFinite == true })
            for (name, content) in try ModelFolder(at: fixture.plan.output).tensors()
            where name.hasSuffix("running_var") {
                #expect(content.values(Float.self).allSatisfy { $0 > 0 })
            }
        }
    }

    @Test func aTreeAveragesThemToo() throws {
        try Fixture.temporarily { directory in
            var settings = try ArchitectureFixture.settings()
            settings.strategy = .hierarchical
            let fixture = try ArchitectureFixture("resnet", in: directory, settings: settings)
            _ = try fixture.run()
            let tasks = try fixture.plan.tasks.map { try ModelFolder(at: $0.directory).tensors() }
            for (name, content) in try ModelFolder(at: fixture.plan.output).tensors()
            where name.hasSuffix("running_var") {
                let own = try tasks.map { try #require($0[name]).values(Float.self) }
                #expect(
                    zip(content.values(Float.self), zip(own[0], own[1])).allSatisfy {
                        abs($0 - ($1.0 + $1.1) / 2) < 1e-6
                    })
            }
        }
    }
}
