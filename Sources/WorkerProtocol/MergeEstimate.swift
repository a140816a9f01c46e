/// What a merge will take, found without running it.
package struct MergeEstimate: Codable, Hashable, Sendable {
    /// How the tasks will be fitted together, and why.
    package var strategy: StrategyChoice
    /// About the most bytes that it will have in memory.
    package var memory: Int64

    package init(strategy: StrategyChoice, memory: Int64) {
        self.strategy = strategy
        self.memory = memory
    }
}
