internal import ExportedGraph
internal import Files
internal import Safetensors
internal import WorkerProtocol

extension GraphSignature {
    /// Names of the inputs that a file of examples gives: all, but those that it lacks and that are zeros without it. Throws
    /// where it holds a tensor that the graph does not take, which would otherwise make no difference to anything.
    func inputNames(
        of examples: SafetensorsFile, task: String, _ objective: TaskSettings.Objective
    ) throws -> [String] {
        let own = objective == .multipleChoice ? ["labels", ValidationSet.choices] : ["labels"]
        let names = inputs.map(\.name)
        let unknown = examples.entries.map(\.name).filter { !own.contains($0) && !names.contains($0) }.sorted()
        guard unknown.isEmpty else {
            throw MergeError.task(
                task,
                "the graph has no input \(unknown.map { shown($0) }.joined(separator: ", ")), which the examples hold; its "
                    + "inputs are \(names.joined(separator: ", ")): remove the tensor, or export a graph that takes it with "
                    + "Tools/export_model.py --inputs")
        }
        return inputs.filter { $0.rule.zerosLike == nil || examples.entry($0.name) != nil }.map(\.name)
    }
}
