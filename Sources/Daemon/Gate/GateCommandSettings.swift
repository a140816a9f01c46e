/// The team's own gate: a program that judges each candidate.
package struct GateCommandSettings: Hashable, Sendable {
    /// An absolute path and its arguments.
    package var words: [String]
    package var timeout = Duration.seconds(600)
    /// Whether it may use the network.
    package var allowsNetwork = false
    /// Whether its verdict alone counts, and not that of the held-out examples too.
    package var isAlone = false

    package init(_ words: [String]) { self.words = words }
}
