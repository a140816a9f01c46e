import Files
import Foundation
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Whole merges on the tiny fixture.
@Suite(.serialized)
struct MergeRunTests {
    private func settings() throws -> MergeSettings {
        var settings = try Fixture.settings()
        settings.holdout = 0.25
        settings.batch = 4
        settings.steps = 12
        settings.evaluateEvery = 3
        return settings
    }

    @Test func sameSeedGivesTheSameBytes() throws {
        try Fixture.temporarily { directory in
            let first = try MergeRun(Fixture.plan(settings(), in: directory + "/1"), report: { _ in }).run()
            let second = try MergeRun(Fixture.plan(settings(), in: directory + "/2"), report: { _ in }).run()
            #expect(first.outputs == second.outputs)
            #expect(!first.outputs.isEmpty)
        }
    }

    @Test func fewExamplesAreSaidToHaveDecidedTheForm() throws {
        try Fixture.temporarily { directory in
            var settings = try settings()
            settings.granularity = .auto
            let result = try MergeRun(Fixture.plan(settings, in: directory + "/auto"), report: { _ in }).run()
            #expect(result.form?.granularity == .tensor)
            #expect(result.notes.contains { $0.hasPrefix("fewer than 32 examples a task") })
            settings.granularity = .tensor
            let asked = try MergeRun(Fixture.plan(settings, in: directory + "/asked"), report: { _ in }).run()
            #expect(!asked.notes.contains { $0.hasPrefix("fewer than") })
        }
    }

    @Test(arguments: 1...11)
    func stoppedAtAnyStepItGoesOnToTheSameBytes(stop: Int) throws {
        try Fixture.temporarily { directory in
            let whole = try MergeRun(Fixture.plan(settings(), in: directory + "/whole"), report: { _ in }).run()
            let plan = try Fixture.plan(settings(), in: directory + "/parts")
            var steps = 0
            #expect(throws: MergeRun.Stopped.self) {
                try MergeRun(plan) { event in
                    if case .progress(let progress) = event, progress.phase == .fitting { steps = progress.done }
                } shouldStop: {
                    steps >= stop
                }.run()
            }
            var resumedAt = 0
            let rest = try MergeRun(plan) { event in
                if case .started(let started) = event { resumedAt = started.resumedAt }
            }.run()
            #expect(resumedAt == stop)
            #expect(rest.outputs == whole.outputs)
            #expect(rest.curve == whole.curve)
        }
    }

    @Test func averagingIsTheMeanOfTheCheckpoints() throws {
        try Fixture.temporarily { directory in
            var settings = try settings()
            settings.method = .average
            let plan = try Fixture.plan(settings, in: directory)
            _ = try MergeRun(plan, report: { _ in }).run()
            let merged = try Checkpoint(directory: plan.output)
            let tasks = try plan.tasks.map { try Checkpoint(directory: $0.directory) }
            for name in merged.names {
                let inputs = try tasks.map { try $0.tensor(name).floats() }
                let means = zip(inputs[0], inputs[1]).map { ($0 + $1) / 2 }
                let got = try merged.tensor(name).floats()
                #expect(zip(got, means).allSatisfy { abs($0 - $1) <= 1e-6 * max(1, abs($1)) }, "\(name)")
            }
        }
    }

    @Test(arguments: [1.5, 1, -2]) func taskArithmeticTakesAScaleOfAnySize(scale: Double) throws {
        try Fixture.temporarily { directory in
            var settings = try settings()
            settings.method = .taskArithmetic
            settings.scale = scale
            let plan = try Fixture.plan(settings, tasks: ["letters"], in: directory)
            let result = try MergeRun(plan, report: { _ in }).run()
            #expect(result.coefficients.values.allSatisfy { $0 == [scale] })
            let base = try Checkpoint(directory: plan.base.directory)
            let merged = try Checkpoint(directory: plan.output)
            let task = try Checkpoint(directory: plan.tasks[0].directory)
            for name in merged.names {
                let origin = try base.tensor(name).floats()
                let wanted = zip(origin, try task.tensor(name).floats()).map { $0 + Float(scale) * ($1 - $0) }
                let got = try merged.tensor(name).floats()
                #expect(zip(got, wanted).allSatisfy { abs($0 - $1) <= 1e-6 * max(1, abs($1)) }, "\(name)")
            }
        }
    }

    @Test func averagingOneTaskIsThatTask() throws {
        try Fixture.temporarily { directory in
            var settings = try settings()
            settings.method = .average
            let plan = try Fixture.plan(settings, tasks: ["letters"], in: directory)
            let result = try MergeRun(plan, report: { _ in }).run()
            #expect(result.coefficients.values.allSatisfy { $0 == [1] })
        }
    }

    @Test(arguments: [(MergeSettings.Activation.tanh, 1.0), (.clamp, 1.5), (.clamp, -0.1), (.identity, .infinity)])
    func aFitThatCouldNotMoveFromItsStartIsRefused(squash: MergeSettings.Activation, scale: Double) throws {
        try Fixture.temporarily { directory in
            var settings = try settings()
            settings.squash = squash
            settings.scale = scale
            let plan = try Fixture.plan(settings, in: directory)
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badBase && failure?.message.contains("scale \(scale)") == true)
        }
    }

    @Test func headsStayWithTheirTasks() throws {
        try Fixture.temporarily { directory in
            let plan = try Fixture.plan(settings(), in: directory)
            _ = try MergeRun(plan, report: { _ in }).run()
            for task in plan.tasks {
                let file = try SafetensorsFile(
                    file: ReadableFile(path: plan.output + "/heads/\(task.name).safetensors"))
                let own = try Checkpoint(directory: task.directory)
                #expect(Set(file.entries.map(\.name)) == ["classifier.weight", "classifier.bias"])
                for entry in file.entries {
                    #expect(try file.tensor(entry).floats() == own.tensor(entry.name).floats())
                }
            }
            #expect(try Checkpoint(directory: plan.output).names.allSatisfy { !$0.hasPrefix("classifier.") })
        }
    }

    @Test func aMissingValidationSetRefusesItsTask() throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(settings(), in: directory)
            let bare = directory + "/bare"
            try FileManager.default.copyItem(atPath: plan.tasks[1].directory, toPath: bare)
            try Durable.remove(bare + "/validation.safetensors")
            plan.tasks[1].directory = bare
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badTask)
            #expect(failure?.task == "shapes")
        }
    }

    @Test func aFileThatChangedSinceAdmissionNeverReachesARelease() throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(settings(), in: directory)
            let copy = directory + "/copy"
            try FileManager.default.copyItem(atPath: plan.tasks[0].directory, toPath: copy)
            plan.tasks[0].directory = copy
            let path = copy + "/model.safetensors"
            let stamp = try FileIdentity.of(path: path).description
            plan.tasks[0].files = [SourceFile(name: "model.safetensors", bytes: 0, sha256: "", stamp: stamp)]
            let bytes = try Durable.contents(path)
            let failure = #expect(throws: MergeError.self) {
                try MergeRun(plan) { event in
                    guard case .progress(let progress) = event, progress.phase == .fitting, progress.done == 3 else {
                        return
                    }
                    try? Data(bytes).write(to: URL(fileURLWithPath: path))
                }.run()
            }
            #expect(failure?.kind == .inputChanged)
        }
    }

    @Test func aNewVersionWithMoreClassesThanTheDeployedHeadIsMerged() throws {
        try Fixture.temporarily { directory in
            let plan = try Fixture.plan(settings(), in: directory + "/first")
            let result = try MergeRun(plan, report: { _ in }).run()
            let record = ReleaseRecord(
                version: 1, created: "", merge: "test", settings: plan.settings, base: plan.base, tasks: plan.tasks,
                result: result)
            try JSON.encode(record).write(to: URL(fileURLWithPath: plan.output + "/release.json"))
            var next = try Fixture.plan(settings(), in: directory + "/second")
            next.deployed = try Fixture.deployed(plan.output)
            next.tasks[0].directory = next.tasks[1].directory
            let second = try MergeRun(next, report: { _ in }).run()
            #expect(second.tasks[0].deployed == nil && second.tasks[0].merged != nil)
            #expect(second.tasks[1].deployed != nil)
            #expect(second.notes.count == 1 && second.notes[0].contains("letters"))
        }
    }

    /// A coefficient that the squash can't reach starts at its bound.
    @Test(arguments: MergeSettings.Activation.allCases)
    func aWarmStartBeginsAtTheDeployedCoefficients(squash: MergeSettings.Activation) throws {
        try Fixture.temporarily { directory in
            let plan = try Fixture.plan(settings(), tasks: ["letters"], in: directory + "/first")
            let result = try MergeRun(plan, report: { _ in }).run()
            let record = ReleaseRecord(
                version: 1, created: "", merge: "test", settings: plan.settings, base: plan.base, tasks: plan.tasks,
                result: result)
            try JSON.encode(record).write(to: URL(fileURLWithPath: plan.output + "/release.json"))
            var next = try Fixture.plan(settings(), in: directory + "/second")
            next.deployed = try Fixture.deployed(plan.output)
            next.settings.steps = 0
            next.settings.squash = squash
            let second = try MergeRun(next, report: { _ in }).run()
            for (layer, values) in second.coefficients {
                let old = try #require(result.coefficients[layer])
                let reached = squash == .clamp ? min(max(old[0], 0), 1) : old[0]
                #expect(abs(values[0] - reached) < 1e-6, "\(layer) of the old task")
                #expect(abs(values[1] - 0.3) < 1e-6, "\(layer) of the new task")
            }
            #expect(second.tasks[0].deployed != nil)
            #expect(second.tasks[1].deployed == nil)
        }
    }

    /// At least half of the tasks must be known, and from a fit in the same form.
    @Test(arguments: [
        ("letters", 0.25, MergeSettings.Granularity.tensor, 24), ("letters", 1, .tensor, 50),
        ("letters", 0.25, .row, 50),
    ])
    func anArrivalTakesFewSteps(
        known: String, share: Double, granularity: MergeSettings.Granularity, steps: Int
    ) throws {
        try Fixture.temporarily { directory in
            var settings = try settings()
            (settings.steps, settings.patience) = (50, 100)
            let plan = try Fixture.plan(settings, tasks: [known], in: directory + "/first")
            let result = try MergeRun(plan, report: { _ in }).run()
            #expect(result.steps == 50)
            let record = ReleaseRecord(
                version: 1, created: "", merge: "test", settings: plan.settings, base: plan.base, tasks: plan.tasks,
                result: result)
            try JSON.encode(record).write(to: URL(fileURLWithPath: plan.output + "/release.json"))
            for (tasks, expected) in [(["letters", "shapes"], steps), (["shapes"], 50)] {
                var next = try Fixture.plan(settings, tasks: tasks, in: "\(directory)/\(tasks.count)")
                next.deployed = try Fixture.deployed(plan.output)
                next.settings.arrivalShare = share
                next.settings.granularity = granularity
                #expect(try MergeRun(next, report: { _ in }).run().steps == expected)
            }
        }
    }
}
