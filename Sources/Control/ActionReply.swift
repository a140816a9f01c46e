/// What a command to the daemon led to.
package struct ActionReply: Codable, Hashable, Sendable {
    package enum Outcome: String, Codable, Sendable {
        /// Done, or nothing had to be done.
        case done
        /// Something that arrived last was refused: at admission, by the worker or by the gate.
        case refused
        /// A merge failed, or the command could not be carried out.
        case failed
    }

    package var outcome: Outcome
    /// One sentence for people.
    package var message: String
    /// The version that is deployed now.
    package var version: Int?

    package init(_ outcome: Outcome, _ message: String, version: Int? = nil) {
        self.outcome = outcome
        self.message = message
        self.version = version
    }
}
