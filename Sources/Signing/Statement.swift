/// What an in-toto statement says of files (in-toto attestation framework, statement v1).
package struct Statement<Predicate: Codable & Sendable>: Codable, Sendable {
    /// A file, or another thing with a digest.
    package struct Subject: Codable, Hashable, Sendable {
        package var name: String
        /// Algorithm → digest in lower-case hexadecimal.
        package var digest: [String: String]

        package init(name: String, sha256: String) {
            self.name = name
            digest = ["sha256": sha256]
        }
    }

    package var type = "https://in-toto.io/Statement/v1"
    package var subject: [Subject]
    package var predicateType: String
    package var predicate: Predicate

    package init(_ subject: [Subject], predicateType: String, predicate: Predicate) {
        self.subject = subject
        self.predicateType = predicateType
        self.predicate = predicate
    }

    enum CodingKeys: String, CodingKey {
        case type = "_type"
        case subject, predicateType, predicate
    }
}
