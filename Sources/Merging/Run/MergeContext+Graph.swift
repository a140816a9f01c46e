internal import ExportedGraph
internal import ExportedModel
internal import Files
internal import ModelFamilies
internal import WorkerProtocol

extension MergeContext {
    /// What `body` makes of the base's graph. Where it can't be used, that is the base's fault; a static method does
    /// without and notes why.
    static func usable<Value>(
        _ plan: MergePlan, otherwise unscored: inout String?, _ body: () throws -> Value
    ) throws -> Value? {
        do {
            return try body()
        } catch let error as FilesError {
            throw error
        } catch {
            let message = (error as? MergeError)?.message ?? "\(error)"
            guard !plan.settings.method.needsExamples else { throw MergeError.base(message) }
            unscored = message
            return nil
        }
    }

    static func graph(_ plan: MergePlan) throws -> ExportedGraph {
        guard try BaseGraph.isDescribed(directory: plan.base.directory) else {
            throw MergeError.base(
                "there is no graph.pt2 in \(plan.base.directory), and no config.json to build one from; export one "
                    + "with Tools/export_model.py")
        }
        return try BaseGraph.open(
            directory: plan.base.directory, head: plan.base.head.flatMap(FamilyHead.init))
    }

    /// The graph compiled, with every operator found, and every input's first axis free for the examples.
    static func model(_ graph: ExportedGraph) throws -> ExportedModel {
        for input in graph.signature.inputs where input.shape.first != .some(nil) {
            throw MergeError.base(
                "the first axis of the graph's input \(input.name) is fixed, so it can't run a batch of any size; "
                    + "export it with a free batch axis, as Tools/export_model.py does")
        }
        return try ExportedModel(graph)
    }
}
