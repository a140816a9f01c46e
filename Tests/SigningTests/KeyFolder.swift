import Crypto
import Files
import Foundation

@testable import Signing

/// A directory with a key pair: `key.pem` and `public.pem`.
final class KeyFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let key = P256.Signing.PrivateKey()
        try write("key.pem", key.pemRepresentation)
        try write("public.pem", key.publicKey.pemRepresentation)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try Durable.replace("\(path)/\(name)", with: Array(text.utf8))
        return "\(path)/\(name)"
    }

    func signing() throws -> SigningKey { try SigningKey(path: path + "/key.pem") }
    func verification() throws -> VerificationKey { try VerificationKey(path: path + "/public.pem") }
}
