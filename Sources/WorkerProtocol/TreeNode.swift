/// One merge of a hierarchical fit.
package struct TreeNode: Codable, Hashable, Sendable {
    /// Over everything that decided the node: its children's digests, the base and the settings.
    package var digest: String
    /// Names of tasks, and digests of nodes before it.
    package var children: [String]
    /// What its fit has a weight for, likewise: its tasks, its nodes' children, and further down where these are few.
    package var sources: [String]
    /// The tasks below, whose examples it was fitted to.
    package var tasks: [String]
    package var steps: Int
    package var bestStep: Int
    /// The held-out loss of the step that was kept; nil where nothing is held out.
    package var heldOut: Double?
    /// Whether an earlier merge had made it, so that it was not fitted again.
    package var isReused: Bool

    package init(
        digest: String, children: [String], sources: [String], tasks: [String], steps: Int, bestStep: Int,
        heldOut: Double?, isReused: Bool
    ) {
        self.digest = digest
        self.children = children
        self.sources = sources
        self.tasks = tasks
        self.steps = steps
        self.bestStep = bestStep
        self.heldOut = heldOut
        self.isReused = isReused
    }
}
