internal import Files
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
        func isThere(_ path: String) -> Bool { (try? FileStatus.ifPresent(path, followingLinks: true)) != nil }
        return settings.method.needsExamples || settings.method.needsLinearAlgebra
            || tasks.contains { isThere($0 + "/validation.safetensors") } && BaseGraph.isUsable(directory: base)
    }
}
