internal import Crypto
internal import Files
internal import Foundation

/// A private ECDSA P-256 key that signs releases and ledger checkpoints.
package struct SigningKey: Sendable {
    /// Maximum size of a key file in bytes.
    static let longest = 64 << 10
    private let key: P256.Signing.PrivateKey

    /// Reads a PEM file (PKCS #8 or SEC 1, without a password). Throws `SigningError` where it is missing, where
    /// everybody may read it, or where it is no key on P-256.
    package init(path: String) throws(SigningError) {
        let text: String
        do {
            let status = try FileStatus(path: path, followingLinks: true)
            guard status.mode & 0o007 == 0 else {
                throw SigningError.badKey(
                    path: path,
                    reason: "everybody may use it (mode \(String(status.mode, radix: 8))); run 'chmod 600' on it")
            }
            text = String(decoding: try Durable.contents(path, limit: Self.longest), as: UTF8.self)
        } catch let error as SigningError {
            throw error
        } catch {
            throw .noKey(place: path, reason: "\(error)")
        }
        do {
            key = try P256.Signing.PrivateKey(pemRepresentation: text)
        } catch {
            throw .badKey(path: path, reason: "it is no private key on the curve P-256 in PEM, without a password")
        }
    }

    /// The matching public key.
    package var verification: VerificationKey { VerificationKey(key.publicKey) }

    /// ASN.1 DER signature over the SHA-256 of `message`.
    func signature(over message: Data) throws(SigningError) -> Data {
        do {
            return try key.signature(for: message).derRepresentation
        } catch {
            throw .badKey(path: "the signing key", reason: "\(error)")
        }
    }
}
