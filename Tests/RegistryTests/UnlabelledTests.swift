import Foundation
import Registry
import Tasks
import Testing
import WorkerProtocol

/// Examples without labels, which not every configuration can use.
@Suite struct UnlabelledTests {
    private static let inputs = [TestRegistry.validation()[0]]

    private func drop(
        labelled: Set<TaskSettings.Objective>, validation: [TestTensor] = inputs, objective: String? = nil
    ) async throws -> Upload<AcceptedTask>? {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask(validation: validation, settings: objective.map { "objective: \($0)\n" })
        return try await registry.settledScan(registry.scanner(labelled: labelled)).tasks["t"]
    }

    @Test func areAcceptedWhereNothingNeedsLabels() async throws {
        let task = try #require(try await drop(labelled: [.languageModeling])?.content)
        #expect(task.examples == 3 && !task.isLabelled)
        let other = try #require(try await drop(labelled: [], validation: TestRegistry.validation())?.content)
        #expect(other.examples == 3 && other.isLabelled)
    }

    @Test(arguments: TaskSettings.Objective.allCases)
    func areRefusedInOneLineWhereTheLossNeedsThem(objective: TaskSettings.Objective) async throws {
        let refusal = try #require(try await drop(labelled: [objective], objective: objective.rawValue)?.refusal)
        #expect(refusal.code == "missing-labels" && !refusal.message.contains("\n"))
        for word in ["labels", objective.rawValue, "loss: distillation"] { #expect(refusal.message.contains(word)) }
    }

    @Test func areCountedAndCheckedAllTheSame() async throws {
        let attacks: [(String, [TestTensor])] = [
            ("example-count", [TestTensor("x", [1, 3], [1, 2, 3])]),
            ("wrong-shape", [TestTensor("x", [], [1])]),
            ("missing-input", []),
            ("unknown-input", Self.inputs + [TestTensor("y", [3], [1, 2, 3])]),
            ("wrong-shape", [TestTensor("x", [3, 2], [1, 2, 3, 4, 5, 6])]),
            ("not-finite", [TestTensor("x", [3, 3], [.nan, 1, 1, 1, 1, 1, 1, 1, 1])]),
        ]
        for (code, validation) in attacks {
            let refusal = try await drop(labelled: [], validation: validation)?.refusal
            #expect(refusal?.code == code)
        }
    }

    /// Which objectives a configuration's losses leave without use for unlabelled examples.
    @Test(arguments: [
        (
            MergeSettings.Loss.auto,
            [TaskSettings.Objective.languageModeling, .maskedLanguageModeling, .sequenceToSequence, .generation]
        ),
        (.distillation, []),
        (.labels, TaskSettings.Objective.allCases), (.both, TaskSettings.Objective.allCases),
    ])
    func areNeededByTheLoss(loss: MergeSettings.Loss, expected: [TaskSettings.Objective]) {
        var settings = MergeSettings()
        settings.loss = loss
        #expect(TaskSettings.Objective.allCases.filter(settings.needsLabels) == expected)
        for method in MergeSettings.Method.allCases where method != .supermerge {
            settings.method = method
            #expect(!TaskSettings.Objective.allCases.contains(where: settings.needsLabels))
        }
    }
}
