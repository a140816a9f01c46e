/// What a merge will take, found without running it.
package struct MergeEstimate: Codable, Hashable, Sendable {
    /// How the tasks will be fitted together, and why.
    package var strategy: StrategyChoice
    /// About the most bytes that it will have in memory.
    package var memory: Int64
    /// Where the weights will lie; nil from workers that do not say.
    package var weights: MemoryUse.Weights?
    /// Of a streamed model, the bytes of the files that a pass over all of base and tasks reads.
    package var readBytes: Int64?
    /// At most so many passes of a batch: forward ones of calibrations, and forward and backward ones of fits, those of
    /// a start that is tried and not taken included. Nil of a tree, and from workers that do not say.
    package var passes: PassCount?

    /// Of each task that is judged by texts, the most tokens that the model writes for an example; each takes at most
    /// one pass over all that is before it, since no keys and values are kept between passes. Nil from workers that do
    /// not say.
    package var newTokens: [String: Int]?

    package init(
        strategy: StrategyChoice, memory: Int64, weights: MemoryUse.Weights = .resident, readBytes: Int64? = nil,
        passes: PassCount? = nil, newTokens: [String: Int]? = nil
    ) {
        self.strategy = strategy
        self.memory = memory
        self.weights = weights
        self.readBytes = readBytes
        self.passes = passes
        self.newTokens = newTokens
    }

    private enum CodingKeys: String, CodingKey {
        case strategy, memory, weights, passes
        case readBytes = "read_bytes"
        case newTokens = "new_tokens"
    }
}
