internal import WorkerProtocol

extension MergeContext {
    /// The plan of a release, opened with the ties that its coefficients and heads show, which may be fewer than this
    /// version knows of, and without the refusals that came later.
    static func recorded(_ plan: MergePlan, release directory: String) throws -> MergeContext {
        // What needs examples never goes without a graph.
        if !plan.settings.method.needsExamples {
            let names = try RecordedNames(release: directory)
            for ties in [RecordedTies.graph, .nothing] {
                // What can't be opened so was not made so; what can't be opened at all says why below.
                guard let context = try? MergeContext(plan, isInEvaluationContext: false, recorded: ties) else {
                    continue
                }
                if names.fit(context) { return context }
            }
        }
        return try MergeContext(plan, isInEvaluationContext: false, recorded: .configuration)
    }
}
