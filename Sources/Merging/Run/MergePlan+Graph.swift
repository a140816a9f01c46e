internal import ModelFamilies
package import WorkerProtocol

extension MergePlan {
    /// Whether libtorch is needed to carry the plan out: to learn, or to score where there is a graph and examples.
    package var runsGraph: Bool {
        Self.runsGraph(base: base.directory, tasks: tasks.map(\.directory), settings)
    }

    /// The same by folders. A static method without examples scores nothing, and libtorch's start would be a third of
    /// its time.
    package static func runsGraph(base: String, tasks: [String], _ settings: MergeSettings) -> Bool {
        settings.method.needsExamples || settings.method.needsLinearAlgebra
            || tasks.contains(where: ExampleFiles.areThere)
                && BaseGraph.isUsable(directory: base)
    }
}
