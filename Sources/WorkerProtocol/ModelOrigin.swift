/// Where a base or a task checkpoint comes from, as the team says it. Only recorded: nothing is decided by it.
package struct ModelOrigin: Codable, Hashable, Sendable {
    /// A URL, a name such as `google/flan-t5-base@7bcac57`, or the run that made it.
    package var source: String?
    /// An SPDX identifier or expression such as `Apache-2.0`, or another name of the licence.
    package var licence: String?

    package init(source: String? = nil, licence: String? = nil) {
        self.source = source
        self.licence = licence
    }

    package var isEmpty: Bool { source == nil && licence == nil }
}
