internal import Crypto
internal import Files
internal import Foundation

/// A public ECDSA key on P-256.
package struct VerificationKey: Sendable {
    private let key: P256.Signing.PublicKey

    init(_ key: P256.Signing.PublicKey) { self.key = key }

    /// Reads a PEM file (SubjectPublicKeyInfo, what `openssl pkey -pubout` writes). Throws `SigningError`.
    package init(path: String) throws(SigningError) {
        do {
            let bytes = try Durable.contents(path, limit: SigningKey.longest)
            key = try P256.Signing.PublicKey(pemRepresentation: String(decoding: bytes, as: UTF8.self))
        } catch let error as FilesError {
            throw .badKey(path: path, reason: "\(error)")
        } catch {
            throw .badKey(path: path, reason: "it is no public key on the curve P-256 in PEM")
        }
    }

    /// The key as PEM with a line feed at its end, as other programs write it.
    package var pem: String { key.pemRepresentation + "\n" }

    /// SHA-256 of the PEM: how a bundle names the key that it was signed with.
    package var hint: String { Digest.sha256(pem.utf8) }

    /// Whether `signature` (ASN.1 DER) is this key's over `message`.
    func isValid(_ signature: Data, over message: Data) -> Bool {
        guard let signature = try? P256.Signing.ECDSASignature(derRepresentation: signature) else { return false }
        return key.isValidSignature(signature, for: message)
    }
}
