/// The strategy of one merge and what decided it.
package struct StrategyChoice: Codable, Hashable, Sendable {
    /// Never `auto`.
    package var strategy: MergeSettings.Strategy
    /// One sentence with the numbers, for the ledger and `release.json`.
    package var reason: String

    package init(strategy: MergeSettings.Strategy, reason: String) {
        self.strategy = strategy
        self.reason = reason
    }
}
