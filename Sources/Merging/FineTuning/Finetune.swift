internal import Engine
internal import ExportedGraph
internal import ExportedModel
internal import Files
internal import ModelFamilies
internal import Safetensors
internal import Tasks
internal import Torch
package import WorkerProtocol

/// Ordinary fine-tuning of all parameters on one labelled set, with AdamW (Loshchilov and Hutter, arXiv 1711.05101) and
/// a linear decay: makes task checkpoints where there is no Python, and the cost that a merge is compared with.
package struct Finetune {
    package struct Settings: Sendable {
        package var steps = 300
        package var batch = 64
        package var learningRate = 1e-3
        /// Step size of parameters that the base does not have, a new head; nil: the same.
        package var headLearningRate: Double?
        package var weightDecay = 0.01
        package var seed: UInt64 = 0
        /// Classes of a new head; nil: one more than the largest label.
        package var classes: Int?

        package init() {}
    }

    /// Folder with graph.pt2 or a config.json that one can be built from; its weights, where it has any, are the start.
    package var base: String
    /// A safetensors file with one tensor per graph input and `labels`.
    package var data: String
    /// Folder to write model.safetensors to.
    package var output: String
    package var settings: Settings
    /// Name prefixes of parameters that are left out of what is written (a base keeps no head).
    package var without: [String]

    package init(base: String, data: String, output: String, settings: Settings, without: [String] = []) {
        self.base = base
        self.data = data
        self.output = output
        self.settings = settings
        self.without = without
    }

    /// Trains and writes; returns the mean loss of the last tenth of the steps.
    package func run(progress: (WorkerEvent.Progress) -> Void) throws -> Double {
        let graph = try BaseGraph.open(directory: base)
        let model = try ExportedModel(graph)
        let file = try SafetensorsFile(file: ReadableFile(path: data, followingLinks: true))
        let names = model.signature.inputs.map(\.name)
        let check = ValidationCheck(
            signature: model.signature, objective: .classification, needsLabels: false, decoderStart: nil)
        let inputs: [String]
        do throws(AdmissionFault) { inputs = try check.inputNames(of: file) } catch {
            throw error.failure(of: "fine-tune")
        }
        let set = try ValidationSet(file, task: "fine-tune", inputNames: inputs, holdout: 0, seed: settings.seed)
        guard set.isLabelled else {
            throw MergeError.task("fine-tune", "\(data) has no tensor labels; add one label per example")
        }
        let classes = try settings.classes ?? set.classes()
        guard classes > 0 else {
            throw MergeError.base("a head of \(classes) classes can't be trained; give 1 or more")
        }
        let parameters = try start(model, from: initialWeights(graph), classes: classes)
        let objective = Objective(kind: .classification, inputs: names)
        try Scorer(model: model, autocast: false)
            .leaveOutPadding(
                ModelWeights(own: Dictionary(parameters.map { ($0.name, $0.tensor) }) { first, _ in first }), set,
                objective)
        let sampler = Sampler(examples: set.fitted, batch: settings.batch, seed: settings.seed, task: "fine-tune")
        var optimizer = try AdamW(parameters.map(\.tensor), weightDecay: settings.weightDecay)
        var recent: [Double] = []
        for step in 0..<settings.steps {
            let (inputs, labels) = try set.batch(sampler.indices(step: step))
            let tape = GradientTape()
            var named: [String: Tensor] = [:]
            for (index, parameter) in parameters.enumerated() {
                named[parameter.name] = try tape.watch(parameter.tensor, index: index)
            }
            let logits = try model.forward(inputs: inputs, parameters: named)
            let loss = try objective.loss(logits, objective.labels(labels, for: logits, inputs))
            let decay = 1 - Double(step) / Double(settings.steps)
            optimizer.beginStep()
            try tape.backward(loss) { index, gradient in
                let rate = parameters[index].isNew ? settings.headLearningRate : nil
                try optimizer.update(
                    index, gradient: gradient, learningRate: (rate ?? settings.learningRate) * decay)
            }
            let value = try loss.item()
            if step >= settings.steps * 9 / 10 { recent.append(value) }
            progress(.init(phase: .fitting, done: step + 1, total: settings.steps, loss: value))
        }
        try write(parameters)
        return recent.reduce(0, +) / Double(max(1, recent.count))
    }

    /// `isNew`: the base does not have it.
    private typealias Parameter = (name: String, tensor: Tensor, isNew: Bool)

    /// The base's weights, or those that its archive carries; nil where it has none.
    private func initialWeights(_ graph: ExportedGraph) throws -> Checkpoint? {
        Checkpoint.isPresent(directory: base)
            ? try BaseWeights.open(directory: base, graph: graph) : try graph.checkpoint()
    }

    private func start(_ model: ExportedModel, from weights: Checkpoint?, classes: Int) throws -> [Parameter] {
        var initial = Initialization(seed: settings.seed)
        return try model.signature.parameters.map { slot in
            for name in [slot.name] + slot.aliases where weights?.entry(name) != nil {
                return (name, try weights!.tensor(name).to(.float32).clone(), false)
            }
            var shape = slot.shape.map { $0 ?? 1 }
            let isHead = ["classifier.", "score."].contains { slot.name.hasPrefix($0) }
            if isHead, !shape.isEmpty { shape[0] = classes }
            return (slot.name, try initial.tensor(slot.name, shape: shape), true)
        }
    }

    private func write(_ parameters: [Parameter]) throws {
        try Durable.createDirectories(output, mode: 0o755)
        let kept = parameters.filter { parameter in !without.contains { parameter.name.hasPrefix($0) } }
        let slots = kept.map { SafetensorsWriter.Slot(name: $0.name, dtype: .f32, shape: $0.tensor.shape) }
        let writer = try CheckpointWriter(directory: output, slots: slots)
        for parameter in kept {
            try unsafe parameter.tensor.withUnsafeMutableBytes { try unsafe writer.append(UnsafeRawBufferPointer($0)) }
        }
        _ = try writer.finish()
    }
}
