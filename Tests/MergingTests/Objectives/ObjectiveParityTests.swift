import Engine
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Objectives and metrics against PyTorch and transformers.
@Suite struct ObjectiveParityTests {
    private func close(_ value: Double, _ expected: Double?, _ tolerance: Double = 2e-6) -> Bool {
        expected.map { abs(value - $0) <= tolerance * max(1, abs($0)) } ?? false
    }

    @Test func metricsOfClassesAreTheirDefinitions() throws {
        for reference in try ObjectiveFixture.reference().metrics.classes {
            var counts = ConfusionCounts()
            for (label, guess) in zip(reference.labels, reference.guesses) {
                counts.add(label: label, prediction: guess)
            }
            #expect(close(counts.accuracy, reference.accuracy, 1e-12))
            #expect(close(counts.f1, reference.f1, 1e-12))
            #expect(close(counts.macroF1, reference.macroF1, 1e-12))
            #expect(close(counts.matthews, reference.matthews, 1e-12), "\(counts.matthews), not \(reference.matthews)")
        }
    }

    @Test func pearsonIsNumPys() throws {
        let reference = try ObjectiveFixture.reference().metrics.pearson
        #expect(close(Scorer.pearson(reference.x, reference.y), reference.value, 1e-12))
    }

    @Test(arguments: [Metric.tokenAccuracy, .perplexity]) func aDecoderIsFedTheLabelsMovedRight(metric: Metric) throws {
        let settings = TaskSettings(objective: .sequenceToSequence, metric: metric)
        let outcome = try ObjectiveFixture("t5", "sequence-to-sequence", settings).score()
        let reference = try ObjectiveFixture.reference().sequenceToSequence
        #expect(close(outcome.score.loss, reference["loss"]))
        #expect(outcome.score.metric == metric.rawValue)
        #expect(close(outcome.score.value, reference[metric.rawValue], 1e-5))
        #expect(outcome.metric == metric && outcome.predictions.guesses.count == outcome.predictions.losses.count)
    }

    @Test(arguments: [Metric.tokenAccuracy, .perplexity]) func aCausalModelIsShifted(metric: Metric) throws {
        let settings = TaskSettings(objective: .languageModeling, metric: metric)
        let score = try ObjectiveFixture("llama", "language-modeling", settings).score().score
        let reference = try ObjectiveFixture.reference().languageModeling
        #expect(close(score.loss, reference["loss"]))
        #expect(close(score.value, reference[metric.rawValue], 1e-5))
    }

    /// Token classification scores each place for itself: with labels moved by hand it is what the causal model's loss
    /// is.
    @Test(arguments: [Metric.tokenAccuracy, .f1, .macroF1, .matthews])
    func tokensAreClassifiedInPlace(metric: Metric) throws {
        let fixture = try ObjectiveFixture("llama", "language-modeling", TaskSettings(objective: .languageModeling))
        let logits = try Scorer(model: fixture.model, autocast: false)
            .logits(ModelWeights(own: fixture.parameters), fixture.set, fixture.objective)
        let (labels, shape) = try #require(try fixture.set.labelValues())
        let moved = labels.indices.map { $0 % shape[1] == shape[1] - 1 ? -100 : labels[$0 + 1] }
        let objective = Objective(kind: .tokenClassification, metric: metric, inputs: ["input_ids", "attention_mask"])
        var running = RunningMetric(objective, measuresLoss: true)
        try running.add(logits, Tensor(moved, shape: shape), checkpoint: nil)
        let reference = try ObjectiveFixture.reference().languageModeling
        #expect(close(running.loss, reference["loss"]))
        #expect(close(running.value, reference[metric.rawValue], 1e-6))
    }

    @Test(
        arguments: [("t5", "decoder-choices"), ("llama", "causal-choices")], [false, true])
    func choicesAreRankedByTheirLikelihood(model: (String, String), isNormalized: Bool) throws {
        let settings = TaskSettings(objective: .multipleChoice, normalizesLength: isNormalized)
        let fixture = try ObjectiveFixture(model.0, model.1, settings)
        let reference = try ObjectiveFixture.reference()
        let choices = model.0 == "t5" ? reference.decoderChoices : reference.causalChoices
        let expected = isNormalized ? choices.mean : choices.sum
        for (found, wanted) in zip(try fixture.logits(), expected.scores.flatMap { $0 }) {
            guard let wanted else {
                #expect(found == -.infinity)
                continue
            }
            #expect(close(Double(found), wanted, 5e-6), "\(found), not \(wanted)")
        }
        let outcome = try fixture.score()
        #expect(outcome.score.metric == "rank-accuracy" && outcome.predictions.owners.count == expected.scores.count)
        #expect(close(outcome.score.value, expected.rankAccuracy, 1e-6))
        #expect(close(outcome.score.loss, expected.loss, 5e-6))
    }

    @Test func aClassThatTheTeacherMasksAddsNothing() throws {
        let reference = try ObjectiveFixture.reference().distillation
        let objective = Objective(kind: .classification, inputs: ["x"])
        let tape = GradientTape()
        let student = try tape.watch(Tensor(reference.student, shape: [4, 5]), index: 0)
        let teacher = try Tensor(reference.teacher.map { $0 ?? -.infinity }, shape: [4, 5])
        let labels = try Tensor([0, 1, 2, 4] as [Int64], shape: [4])
        let loss = try objective.distillation(student, teacher: teacher, labels: labels)
        var gradient: [Float] = []
        let value = try loss.item()
        try tape.backward(loss) { gradient = try $1.floats() }
        #expect(close(value, reference.loss))
        #expect(zip(gradient, reference.gradient).allSatisfy { abs($0 - $1) < 1e-6 }, "\(gradient)")
        // The teacher itself, which masks them too.
        #expect(try abs(objective.distillation(teacher, teacher: teacher, labels: labels).item()) < 1e-6)
        #expect(try objective.entropy(teacher, labels).item().isFinite)
    }
}
