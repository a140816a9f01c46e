internal import Files
internal import Foundation

/// A statement in a signed envelope: a sigstore bundle (v0.3) around a DSSE envelope (secure-systems-lab/dsse v1), as
/// the OpenSSF model-signing format has it for keys.
struct Bundle: Codable {
    struct Material: Codable {
        struct Key: Codable { var hint: String? }
        /// No transparency log is asked: a private key needs none.
        struct LogEntry: Codable {}
        var publicKey: Key?
        var tlogEntries: [LogEntry]?
    }

    struct Envelope: Codable {
        struct Signature: Codable {
            var sig: Data
            var keyid: String?
        }
        var payload: Data
        var payloadType: String
        var signatures: [Signature]
    }

    static let mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
    static let payloadType = "application/vnd.in-toto+json"

    var mediaType: String
    var verificationMaterial: Material
    var dsseEnvelope: Envelope

    /// Signs a statement's bytes.
    init(_ payload: Data, key: SigningKey) throws(SigningError) {
        mediaType = Self.mediaType
        verificationMaterial = Material(publicKey: .init(hint: key.verification.hint), tlogEntries: [])
        let signature = try key.signature(over: Self.encoding(of: payload))
        dsseEnvelope = Envelope(
            payload: payload, payloadType: Self.payloadType, signatures: [.init(sig: signature, keyid: "")])
    }

    /// The statement's bytes, after their signature has been checked. `path` is for messages.
    static func payload(of bytes: [UInt8], key: VerificationKey, path: String) throws(SigningError) -> Data {
        // Another verifier may take the first of two equal keys where this one would take the last.
        guard (try? JSONValue(parsing: bytes, .strict)) != nil,
            let bundle = try? JSONDecoder().decode(Bundle.self, from: Data(bytes))
        else {
            throw .badSignature(path: path, reason: "it is not a sigstore bundle")
        }
        let envelope = bundle.dsseEnvelope
        guard bundle.mediaType == mediaType, envelope.payloadType == payloadType else {
            throw .badSignature(path: path, reason: "it is a bundle of another kind")
        }
        if let hint = bundle.verificationMaterial.publicKey?.hint, hint != key.hint {
            throw .badSignature(path: path, reason: "it was made with another key than the one given")
        }
        guard envelope.signatures.count == 1, let signature = envelope.signatures.first else {
            throw .badSignature(path: path, reason: "it has \(envelope.signatures.count) signatures instead of one")
        }
        guard key.isValid(signature.sig, over: encoding(of: envelope.payload)) else {
            throw .badSignature(path: path, reason: "it was not made with this key, or was changed since")
        }
        return envelope.payload
    }

    /// What is signed: DSSE's pre-authentication encoding of the payload and its type.
    private static func encoding(of payload: Data) -> Data {
        Data("DSSEv1 \(payloadType.utf8.count) \(payloadType) \(payload.count) ".utf8) + payload
    }
}
