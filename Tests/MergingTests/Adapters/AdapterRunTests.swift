import Adapters
import Files
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Merges of a LoRA and of (IA)³ over a tiny ViT, against merges of the same tasks folded into full weights.
struct AdapterRunTests {
    /// The plan over `vit` or `folded`, in a new directory.
    private func plan(_ folder: String, _ settings: MergeSettings, in directory: String) throws -> MergePlan {
        var plan = try Fixture.plan(settings, in: "\(directory)/\(folder)")
        for index in plan.tasks.indices {
            plan.tasks[index].directory = "\(AdapterFixture.root)/\(folder)/\(plan.tasks[index].name)"
        }
        return plan
    }

    private func tensors(_ directory: String) throws -> [String: [Float]] {
        let checkpoint = try Checkpoint(directory: directory)
        return try Dictionary(uniqueKeysWithValues: checkpoint.names.map { ($0, try checkpoint.tensor($0).floats()) })
    }

    private func expectTheSame(
        _ settings: MergeSettings, within limit: Float, coefficients: Double = 1e-4
    ) throws {
        try Fixture.temporarily { directory in
            let plans = try (plan("vit", settings, in: directory), plan("folded", settings, in: directory))
            let results = try (
                MergeRun(plans.0, report: { _ in }).run(), MergeRun(plans.1, report: { _ in }).run()
            )
            let (own, folded) = try (tensors(plans.0.output), tensors(plans.1.output))
            #expect(own.keys == folded.keys)
            for (name, values) in own {
                #expect(AdapterFixture.distance(values, folded[name] ?? []) < limit, "\(name)")
            }
            for (task, expected) in zip(results.0.tasks, results.1.tasks) {
                #expect(task.own?.value == expected.own?.value && task.base?.value == expected.base?.value)
                let losses = [task.own, expected.own, task.merged, expected.merged].compactMap { $0?.loss }
                #expect(losses.count == 4)
                #expect((losses[0] - losses[1]).magnitude < 1e-5 && (losses[2] - losses[3]).magnitude < 1e-3)
            }
            #expect(results.0.steps == results.1.steps)
            // A static method gives a folded checkpoint coefficients where it moves nothing, too.
            for (layer, values) in results.0.coefficients where settings.method.isLearned {
                for (value, expected) in zip(values, results.1.coefficients[layer] ?? []) {
                    #expect((value - expected).magnitude < coefficients, "\(layer)")
                }
            }
            for name in ["letters", "shapes"] {
                let heads = [plans.0, plans.1].map { "\($0.output)/heads/\(name).safetensors" }
                let head = try SafetensorsFile(file: ReadableFile(path: heads[0]))
                #expect(head.entries.map(\.name).sorted() == ["classifier.bias", "classifier.weight"])
                let expected = try SafetensorsFile(file: ReadableFile(path: heads[1]))
                #expect(try head.file.sha256() == expected.file.sha256())
            }
        }
    }

    @Test(arguments: [MergeSettings.Method.average, .taskArithmetic, .dare])
    func staticMethods(_ method: MergeSettings.Method) throws {
        var settings = try Fixture.settings()
        settings.method = method
        try expectTheSame(settings, within: 1e-5)
    }

    @Test func headsOfAnotherSizeThanTheBasesAreThoseThatTheSettingsName() throws {
        try Fixture.temporarily { directory in
            var settings = try Fixture.settings()
            settings.method = .average
            var plan = try plan("vit", settings, in: directory)
            let base = try ModelFolder(plan.base.directory, copiedTo: directory + "/base")
            try base.addClassifier(classes: 2)
            plan.base.directory = base.path
            let unnamed = plan
            let failure = #expect(throws: MergeError.self) { try MergeRun(unnamed, report: { _ in }).run() }
            #expect(failure?.message.contains("`head` in task.yaml") == true)
            for index in plan.tasks.indices { plan.tasks[index].settings.head = ["classifier."] }
            _ = try MergeRun(plan, report: { _ in }).run()
            #expect(try Checkpoint(directory: plan.output).entry("classifier.weight")?.shape == [2, 16])
            let head = try SafetensorsFile(file: ReadableFile(path: plan.output + "/heads/letters.safetensors"))
            #expect(head.entry("classifier.weight")?.shape == [3, 16])
        }
    }

    /// What is rounded the other way can only be kept or dropped at the threshold itself.
    @Test func ties() throws {
        var settings = try Fixture.settings()
        settings.method = .ties
        settings.density = 1
        try expectTheSame(settings, within: 1e-5)
    }

    @Test(arguments: MergeSettings.Granularity.allCases)
    func superMerge(_ granularity: MergeSettings.Granularity) throws {
        var settings = try Fixture.settings()
        settings.granularity = granularity
        settings.steps = 3
        // Adam turns the sign of a gradient of almost nothing into a step: what is fitted for each element differs
        // there.
        try expectTheSame(settings, within: granularity == .element ? 0.2 : 0.02, coefficients: 0.02)
    }

    @Test func hierarchically() throws {
        var settings = try Fixture.settings()
        settings.strategy = .hierarchical
        settings.steps = 2
        try expectTheSame(settings, within: 0.02, coefficients: 0.02)
    }

    @Test(arguments: ["letters", "shapes"]) func ownCheckpointIsScoredAsItsFolding(_ name: String) throws {
        let base = Fixture.root + "/base"
        let scores = try ["vit", "folded"].map { folder in
            let path = "\(AdapterFixture.root)/\(folder)/\(name)"
            return try Evaluation(model: path, task: path, settings: TaskSettings(), base: base).score()
        }
        #expect(scores[0].value == scores[1].value && scores[0].examples == scores[1].examples)
        #expect((scores[0].loss - scores[1].loss).magnitude < 1e-5)
    }

    @Test func baseIsScoredWithTheHeadOfAnAdapter() throws {
        let path = "\(AdapterFixture.root)/vit/letters"
        let score = try Evaluation(
            model: Fixture.root + "/base", task: path, settings: TaskSettings(), base: Fixture.root + "/base"
        ).score()
        #expect(score.examples > 0 && score.loss.isFinite)
    }

    @Test func faultsNameTheTask() throws {
        try Fixture.temporarily { directory in
            var plan = try plan("vit", Fixture.settings(), in: directory)
            let folder = try ModelFolder("\(AdapterFixture.root)/vit/letters", copiedTo: directory + "/letters")
            plan.tasks[0].directory = folder.path
            try Durable.replace(
                "\(folder.path)/adapter_config.json", with: Array(#"{"peft_type": "LORA", "use_dora": true}"#.utf8))
            let fault = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(fault?.kind == .badTask && fault?.task == "letters" && fault?.message.contains("use_dora") == true)
        }
    }

    @Test func factorsWhoseProductOverflowsAreTheTasksFault() throws {
        try Fixture.temporarily { directory in
            var settings = try Fixture.settings()
            settings.method = .average
            var plan = try plan("vit", settings, in: directory)
            for index in plan.tasks.indices {
                let copy = "\(directory)/\(plan.tasks[index].name)"
                plan.tasks[index].directory = try ModelFolder(plan.tasks[index].directory, copiedTo: copy).path
                try Durable.remove(copy + "/validation.safetensors")
            }
            try inflate(directory + "/letters/adapter_model.safetensors")
            let fault = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(fault?.kind == .badTask && fault?.task == "letters", "\(fault?.message ?? "")")
        }
    }

    /// Makes every factor large but finite.
    private func inflate(_ path: String) throws {
        let entries = try SafetensorsFile(file: ReadableFile(path: path)).entries
        let writer = try SafetensorsWriter(
            path: path + ".new", slots: entries.map { .init(name: $0.name, dtype: .f32, shape: $0.shape) })
        for entry in entries {
            let values = [Float](repeating: entry.name.contains("lora_") ? 1e30 : 0, count: entry.elementCount)
            try values.withUnsafeBytes { try writer.append($0) }
        }
        _ = try writer.finish()
        try Durable.replace(path, with: Durable.contents(path + ".new"))
    }

    @Test func bothFilesAreHashed() throws {
        try Fixture.temporarily { directory in
            var settings = try Fixture.settings()
            settings.method = .taskArithmetic
            var plan = try plan("vit", settings, in: directory)
            for index in plan.tasks.indices {
                let folder = plan.tasks[index].directory
                plan.tasks[index].files = try Adapter.fileNames.map { name in
                    let file = try ReadableFile(path: "\(folder)/\(name)")
                    return SourceFile(
                        name: name, bytes: file.size, sha256: name.hasSuffix(".json") ? try file.sha256() : "")
                }
            }
            let run = MergeRun(plan, report: { _ in })
            _ = try run.run()
            for task in run.plan.tasks {
                for file in task.files {
                    let expected = try ReadableFile(path: "\(task.directory)/\(file.name)").sha256()
                    #expect(file.sha256 == expected)
                }
            }
        }
    }
}
