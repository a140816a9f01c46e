internal import Foundation

/// Statements with their signatures, as the bytes of a file.
package enum SignedStatement {
    /// The bytes of a bundle that holds `statement`. Throws `SigningError`.
    package static func make<Predicate>(_ statement: Statement<Predicate>, key: SigningKey) throws -> [UInt8] {
        try bytes(of: Bundle(Data(bytes(of: statement)), key: key)) + [UInt8(ascii: "\n")]
    }

    /// The statement in a bundle whose signature holds. Throws `SigningError` where it does not, or where the statement
    /// is of another kind. `path` is for messages.
    package static func open<Predicate: Codable & Sendable>(
        _ bytes: [UInt8], predicateType: String, as type: Predicate.Type, key: VerificationKey, path: String
    ) throws(SigningError) -> Statement<Predicate> {
        let payload = try Bundle.payload(of: bytes, key: key, path: path)
        guard let statement = try? JSONDecoder().decode(Statement<Predicate>.self, from: payload),
            statement.type == Statement(statement.subject, predicateType: "", predicate: statement.predicate).type,
            statement.predicateType == predicateType
        else { throw .badSignature(path: path, reason: "what was signed is no statement of this kind") }
        return statement
    }

    /// JSON with sorted keys; slashes are not escaped.
    package static func bytes(of value: some Encodable, pretty: Bool = false) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return Array(try encoder.encode(value))
    }
}
