internal import Files

/// The signature over all files of a model's directory, in the OpenSSF model-signing format (predicate v1.0): what
/// `model_signing verify key` checks.
package enum ModelSignature {
    /// A file by its name relative to the directory and the SHA-256 of its content.
    package typealias File = (name: String, sha256: String)

    package static let fileName = "model.sig"
    /// Bytes that a signature may have: some hundred for each file.
    package static let longest = 64 << 20
    static let predicateType = "https://model_signing/signature/v1.0"

    struct Predicate: Codable {
        struct Serialization: Codable {
            var method = "files"
            var hashType = "sha256"
            var allowSymlinks = false
            var ignorePaths: [String]? = [ModelSignature.fileName]

            enum CodingKeys: String, CodingKey {
                case method
                case hashType = "hash_type"
                case allowSymlinks = "allow_symlinks"
                case ignorePaths = "ignore_paths"
            }
        }

        struct Resource: Codable {
            var name: String
            var algorithm: String
            var digest: String
        }

        var serialization: Serialization
        var resources: [Resource]
    }

    /// The bytes of `model.sig` for a directory that holds just these files beside it. Throws `SigningError`.
    package static func make(model: String, files: [File], key: SigningKey) throws -> [UInt8] {
        let resources = sorted(files).map { Predicate.Resource(name: $0.name, algorithm: "sha256", digest: $0.sha256) }
        let statement = Statement(
            [.init(name: model, sha256: root(resources))], predicateType: predicateType,
            predicate: Predicate(serialization: .init(), resources: resources))
        return try SignedStatement.make(statement, key: key)
    }

    /// Names of files that are not as they were signed, that were signed and are not there, or that were not signed;
    /// empty where all agree. Throws `SigningError` where the signature itself does not hold.
    package static func faults(
        _ signature: [UInt8], files: [File], key: VerificationKey, path: String
    ) throws(SigningError) -> [String] {
        let statement = try SignedStatement.open(
            signature, predicateType: predicateType, as: Predicate.self, key: key, path: path)
        let resources = statement.predicate.resources
        let serialization = statement.predicate.serialization
        guard serialization.method == "files", serialization.hashType == "sha256",
            (serialization.ignorePaths ?? []).allSatisfy({ $0 == fileName }),
            resources.allSatisfy({ $0.algorithm == "sha256" }),
            Set(resources.map(\.name)).count == resources.count
        else { throw .badSignature(path: path, reason: "it lists the files in another way than this program") }
        guard statement.subject.count == 1, statement.subject.first?.digest["sha256"] == root(resources) else {
            throw .badSignature(path: path, reason: "its digest is not that of the files it lists")
        }
        let signed = Dictionary(resources.map { ($0.name, $0.digest) }) { first, _ in first }
        let there = Dictionary(files.map { ($0.name, $0.sha256) }) { first, _ in first }
        return Set(signed.keys).union(there.keys).filter { signed[$0] != there[$0] }.sorted()
    }

    /// SHA-256 over the digests' bytes, one after the other.
    private static func root(_ resources: [Predicate.Resource]) -> String {
        Digest.sha256(resources.flatMap { bytes(hexadecimal: $0.digest) })
    }

    /// The bytes that hexadecimal digits stand for; none where they are no such digits.
    private static func bytes(hexadecimal text: String) -> [UInt8] {
        let digits = Array(text.utf8).compactMap { Character(Unicode.Scalar($0)).hexDigitValue.map { UInt8($0) } }
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return [] }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// In the order of their folders' and own names, part by part.
    private static func sorted(_ files: [File]) -> [File] {
        files.sorted { first, second in
            first.name.pathNames.lexicographicallyPrecedes(second.name.pathNames)
        }
    }
}
