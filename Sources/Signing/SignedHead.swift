internal import Foundation

/// A signed checkpoint of the ledger, the file `LEDGER.sig` of the deploy directory: how many entries there were, and
/// the digest of the last, after the last publication.
package enum SignedHead {
    package static let fileName = "LEDGER.sig"
    /// Bytes that the file may have.
    package static let longest = 64 << 10
    static let predicateType = "urn:supermerged:ledger-checkpoint:v1"

    struct Predicate: Codable {
        var entries: Int
        var time: String
    }

    /// The bytes of the file. `time`: ISO 8601.
    package static func make(entries: Int, digest: String, time: String, key: SigningKey) throws -> [UInt8] {
        let statement = Statement(
            [.init(name: "ledger.jsonl", sha256: digest)], predicateType: predicateType,
            predicate: Predicate(entries: entries, time: time))
        return try SignedStatement.make(statement, key: key)
    }

    /// What was signed. Throws `SigningError` where the signature does not hold.
    package static func open(
        _ bytes: [UInt8], key: VerificationKey, path: String
    ) throws(SigningError) -> (entries: Int, digest: String) {
        let statement = try SignedStatement.open(
            bytes, predicateType: predicateType, as: Predicate.self, key: key, path: path)
        guard let digest = statement.subject.first?.digest["sha256"], statement.predicate.entries >= 0 else {
            throw .badSignature(path: path, reason: "it names no digest")
        }
        return (statement.predicate.entries, digest)
    }
}
