internal import Adapters
internal import Engine
internal import ExportedGraph
internal import ExportedModel
internal import Files
internal import Foundation
internal import ModelFamilies
internal import Safetensors
internal import Tasks
internal import Torch
package import WorkerProtocol

/// Scores one model on one task: a release, the base, or a task checkpoint.
package struct Evaluation {
    /// Folder of the weights.
    package var model: String
    /// Folder of the task: its name, settings, validation set, and its head where the model has none.
    package var task: String
    package var settings: TaskSettings
    /// Examples to score instead of the task's validation set.
    package var data: String?
    /// The tensors of the task's examples where these are a table.
    package var examples: EncodedExamples?
    /// Folder that holds `graph.pt2`, or weights and a `config.json` to build it from; nil: beside the model, or the
    /// registry's base.
    package var base: String?

    package init(
        model: String, task: String, settings: TaskSettings, examples: EncodedExamples? = nil, data: String? = nil,
        base: String? = nil
    ) {
        self.model = model
        self.task = task
        self.settings = settings
        self.examples = examples
        self.data = data
        self.base = base
    }

    /// Name of the task: the last part of its folder.
    package var name: String {
        task.pathNames.last ?? task
    }

    /// Loss and metric over all examples; without labels by the agreement with the task's own checkpoint.
    package func score() throws -> Score { try judged().score }

    /// The same, and where texts are compared each of them.
    package func judged() throws -> (score: Score, texts: [JudgedText]) {
        let (score, texts) = try measured()
        guard !score.loss.isNaN else {
            throw MergeError.task(
                name, "the loss of \(model) on its examples is no number; look for NaN in the examples and the weights")
        }
        return (score, texts)
    }

    private func measured() throws -> (score: Score, texts: [JudgedText]) {
        try checkFolders()
        let (folder, described) = try describedGraph()
        let graph = try ExportedModel(described)
        let isAdapter = Adapter.isPresent(directory: model)
        let weights = try BaseWeights.open(directory: isAdapter ? baseFolder(of: model) : model)
            .fitted(toMost: graph.signature.parameters.map { [$0.name] + $0.aliases })
        let ties = TiedNames(graph.signature, base: weights)
        try ties.check(weights)
        var parameters =
            isAdapter ? try folded(model, onto: weights, ties) : ties.keyed(try weights.parameters(weights.names))
        if let head = try head(weights, graph, ties) { parameters.merge(ties.keyed(head)) { $1 } }
        let file = try SafetensorsFile(
            file: ReadableFile(
                path: data ?? examples?.file ?? "\(task)/\(TaskLayout.examples)", followingLinks: true))
        let start = try DecoderStart(base: folder)
        let check = ValidationCheck(
            signature: graph.signature, objective: settings.objective, needsLabels: false, decoderStart: start,
            name: data?.splitPath.name ?? examples?.source ?? TaskLayout.examples)
        let inputs: [String]
        do throws(AdmissionFault) {
            _ = try check.check(file)
            inputs = try check.inputNames(of: file)
        } catch {
            throw error.failure(of: name)
        }
        let set = try ValidationSet(
            file, task: name, inputNames: inputs, objective: settings.objective, decoderStart: start, holdout: 0,
            seed: 0)
        var objective = Objective(settings, inputs: graph.signature.inputs.map(\.name))
        let source = TaskSource(
            name: name, directory: task, files: [], digest: "", settings: settings, examples: examples)
        objective.tags = try SpanTags.names(of: source, base: folder)
        if set.isLabelled { objective.generation = try Generation(name, settings, base: folder) }
        let scorer = Scorer(model: graph, autocast: false)
        return try MergeError.blaming(name, examples: file) {
            let weights = ModelWeights(own: parameters)
            try scorer.leaveOutPadding(weights, set, objective)
            guard !set.isLabelled else {
                let outcome = try scorer.score(weights, set, set.all, objective)
                return (outcome.score, outcome.texts)
            }
            let own = ModelWeights(own: try parameters.merging(checkpoint(graph, ties)) { $1 })
            return (try agreement(of: weights, own, set, objective, scorer), [])
        }
    }

    /// Says what to name instead of a folder that is not there, or of one that is no task.
    private func checkFolders() throws {
        func isFolder(_ path: String) throws -> Bool {
            try FileStatus.ifPresent(path, followingLinks: true)?.kind == .directory
        }
        guard try isFolder(model) else {
            throw MergeError(
                kind: .environment,
                message: "there is no folder \(model); name that of a release, the base or a checkpoint with --model")
        }
        guard data == nil, examples == nil else { return }
        guard try isFolder(task) else {
            throw MergeError(
                kind: .environment,
                message: "there is no folder \(task); name that of a task with --task, or examples with --data")
        }
        guard try FileStatus.ifPresent(task + "/" + TaskLayout.examples, followingLinks: true) != nil else {
            throw MergeError.task(
                name,
                "there are no examples (\(ExampleFiles.all.joined(separator: ", "))) in \(task), so there is nothing "
                    + "to score on; name a task's folder with --task, or examples with --data")
        }
    }

    /// Runs model and checkpoint batch by batch; the checkpoint alone is not run twice.
    private func agreement(
        of model: ModelWeights, _ own: ModelWeights, _ set: ValidationSet, _ objective: Objective,
        _ scorer: Scorer
    ) throws -> Score {
        var agreement = Agreement(objective: objective)
        let size = scorer.batch(of: set)
        for start in stride(from: 0, to: set.count, by: size) {
            let part = Array(start..<min(start + size, set.count))
            try scorer.forEachBatch(own, set, part, objective) { wanted, labels in
                guard self.model != task else { return try agreement.add(wanted, checkpoint: wanted, labels: labels) }
                try scorer.forEachBatch(model, set, part, objective) { logits, labels in
                    try agreement.add(logits, checkpoint: wanted, labels: labels)
                }
            }
        }
        return try agreement.outcome(examples: set.count).score
    }

    /// The task's own checkpoint, whole.
    private func checkpoint(_ graph: ExportedModel, _ ties: TiedNames) throws -> [String: Tensor] {
        let need = "its examples have no labels, and to measure agreement with its own checkpoint takes that"
        let parameters: [String: Tensor]
        if Adapter.isPresent(directory: task) {
            parameters = try folded(task, onto: BaseWeights.open(directory: baseFolder(of: task)), ties)
        } else if Checkpoint.isPresent(directory: task) {
            let own = try Checkpoint(directory: task, root: "/", allowsAbsent: true)
            try ties.check(own, of: name)
            parameters = ties.keyed(try own.parameters(own.names, of: name))
        } else {
            throw MergeError.task(name, "\(need): there is none in \(task)")
        }
        if !graph.signature.needsNoHead(settings.objective),
            let lost = graph.signature.parameters.first(where: { parameters[ties.key(of: $0.name)] == nil })
        {
            throw MergeError.task(name, "\(need): the one in \(task) lacks \(lost.name)")
        }
        return parameters
    }

    /// The base with an adapter folded in, and what else the adapter holds.
    private func folded(
        _ adapter: String, onto files: Checkpoint, _ ties: TiedNames
    ) throws -> [String: Tensor] {
        let base = files.tying(ties.groups)
        let source = TaskSource(name: name, directory: adapter, files: [], digest: "", settings: settings)
        let task = try TaskModel(source, base: base, ties: ties)
        let layers = try MergeContext.layers(
            base.names.compactMap { base.entry($0) }.filter(\.dtype.isFloatingPoint), ties, .tensor)
        let own = try ModelParameters(layers: layers)
        try own.load(task: 0, TaskVectors(base: base, tasks: [task], layers: layers))
        var parameters = try base.parameters(base.names.filter { base.entry($0)?.dtype.isFloatingPoint == false })
        for (layer, tensor) in zip(layers, own.tensors) { parameters[layer.name] = tensor }
        parameters.merge(try task.checkpoint.parameters(task.head, of: name)) { $1 }
        return ties.keyed(parameters)
    }

    /// Where an adapter's base is.
    private func baseFolder(of adapter: String) throws -> String {
        for path in [base, model + "/../../base", task + "/../../base"].compactMap(\.self) {
            if Checkpoint.isPresent(directory: path) { return path }
            if try FileStatus.ifPresent(path + "/graph.pt2", followingLinks: true) != nil { return path }
        }
        throw MergeError.base("\(adapter) is an adapter, and its base is not known; name the base's folder with --base")
    }

    /// The release's head of this task, else what the model lacks (or `head` names) from the task's own checkpoint.
    private func head(
        _ weights: Checkpoint, _ graph: ExportedModel, _ ties: TiedNames
    ) throws -> [String: Tensor]? {
        if let head = try ModelEvaluator.head(of: name, release: model) { return head }
        let missing = graph.signature.parameters.filter { slot in
            let names = [slot.name] + slot.aliases
            return names.allSatisfy { weights.entry($0) == nil }
                || settings.head.contains { prefix in names.contains { $0.hasPrefix(prefix) } }
        }
        guard !missing.isEmpty, model != task else { return nil }
        let own =
            Adapter.isPresent(directory: task)
            ? try TaskModel(
                TaskSource(name: name, directory: task, files: [], digest: "", settings: settings),
                base: weights.tying(ties.groups), ties: ties
            ).checkpoint : try Checkpoint(directory: task, root: "/", allowsAbsent: true)
        let names = missing.flatMap { [$0.name] + $0.aliases }.filter { own.entry($0) != nil }
        return try own.parameters(names)
    }

    /// The head of a graph that is built: the release's, else the task's.
    private var builtHead: String? {
        if let bytes = try? Durable.contents("\(model)/release.json"),
            let record = try? JSON.decode(ReleaseRecord.self, from: Data(bytes))
        {
            return record.base.head
        }
        return HeadChoice.head(base: base, tasks: [task])
    }

    /// The first archive among the folders where one may lie, and its folder; without any, what the first configuration
    /// beside weights describes.
    private func describedGraph() throws -> (folder: String, graph: ExportedGraph) {
        let folders = [base, model, model + "/../../base", task + "/../../base"].compactMap(\.self)
        for folder in folders where try BaseGraph.hasArchive(directory: folder) {
            return (folder, try BaseGraph.open(directory: folder))
        }
        let head = builtHead.flatMap(FamilyHead.init)
        var fault: ModelFamilyError?
        for folder in folders where Checkpoint.isPresent(directory: folder) {
            do {
                if try BaseGraph.isDescribed(directory: folder) {
                    return (folder, try BaseGraph.open(directory: folder, head: head))
                }
            } catch let error as ModelFamilyError {
                fault = fault ?? error
            }
        }
        if let fault { throw fault }
        throw MergeError.base(
            "there is no graph.pt2, and no config.json to build one from, beside \(model) or in a registry's base; "
                + "name its folder with --base")
    }
}
