import Crypto
import Files
import Foundation
import Testing

@testable import Signing

@Suite struct SigningTests {
    let folder: KeyFolder

    init() throws { folder = try KeyFolder() }

    private let files: [ModelSignature.File] = [
        ("model.safetensors", Digest.sha256("m".utf8)), ("heads/a.safetensors", Digest.sha256("a".utf8)),
        ("release.json", Digest.sha256("r".utf8)),
    ]

    @Test func whatWasSignedHolds() throws {
        let key = try folder.signing()
        let bytes = try ModelSignature.make(model: "m", files: files, key: key)
        let public_ = try folder.verification()
        #expect(try ModelSignature.faults(bytes, files: files.reversed(), key: public_, path: "s") == [])
        #expect(
            public_.pem.hasPrefix("-----BEGIN PUBLIC KEY-----\n") && public_.pem.hasSuffix("-----END PUBLIC KEY-----\n")
        )
    }

    @Test func filesThatAreNotAsTheyWereSigned() throws {
        let bytes = try ModelSignature.make(model: "m", files: files, key: try folder.signing())
        let key = try folder.verification()
        func faults(_ files: [ModelSignature.File]) throws -> [String] {
            try ModelSignature.faults(bytes, files: files, key: key, path: "s")
        }
        #expect(try faults([("model.safetensors", Digest.sha256("x".utf8))] + files[1...]) == ["model.safetensors"])
        #expect(try faults(Array(files[1...])) == ["model.safetensors"])
        #expect(try faults(files + [("evil.py", Digest.sha256("e".utf8))]) == ["evil.py"])
    }

    @Test func anotherKey() throws {
        let bytes = try ModelSignature.make(model: "m", files: files, key: try folder.signing())
        let other = try KeyFolder()
        let error = #expect(throws: SigningError.self) {
            try ModelSignature.faults(bytes, files: files, key: other.verification(), path: "s")
        }
        #expect(error?.description.contains("another key") == true)
    }

    /// Any byte of a bundle may be anything: refused, or a change that means nothing, never a trap and never other
    /// files.
    @Test func everyByteChanged() throws {
        let bytes = try ModelSignature.make(model: "m", files: files, key: try folder.signing())
        let key = try folder.verification()
        var accepted = 0
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 0x01
            if let faults = try? ModelSignature.faults(changed, files: files, key: key, path: "s") {
                #expect(faults == [])
                accepted += 1
            }
        }
        // The key's identifier, an unused field's name and base64 bits beyond the last byte.
        #expect(accepted < 60)
    }

    @Test(arguments: ["", "{}", "[]", "null", "{\"mediaType\":\"x\"}", String(repeating: "[", count: 100_000)])
    func noBundle(text: String) throws {
        let key = try folder.verification()
        #expect(throws: SigningError.self) {
            try ModelSignature.faults(Array(text.utf8), files: files, key: key, path: "s")
        }
    }

    @Test func aCheckpointIsNoModelSignature() throws {
        let head = try SignedHead.make(
            entries: 3, digest: Digest.sha256("l".utf8), time: "2026-01-01T00:00:00Z", key: try folder.signing())
        let key = try folder.verification()
        let opened = try SignedHead.open(head, key: key, path: "s")
        #expect(opened.entries == 3 && opened.digest == Digest.sha256("l".utf8))
        #expect(throws: SigningError.self) { try ModelSignature.faults(head, files: files, key: key, path: "s") }
        let model = try ModelSignature.make(model: "m", files: files, key: try folder.signing())
        #expect(throws: SigningError.self) { try SignedHead.open(model, key: key, path: "s") }
    }

    @Test func keysThatCantBeUsedSayWhatToDo() throws {
        func message(_ path: String) -> String? {
            do {
                _ = try SigningKey(path: path)
                return nil
            } catch {
                #expect(!error.description.contains("\n"))
                return error.description
            }
        }
        #expect(try #require(message(folder.path + "/missing")).contains("check that the path exists"))
        #expect(message(folder.path + "/key.pem") == nil)
        try Durable.changeMode(folder.path + "/key.pem", to: 0o604)
        #expect(try #require(message(folder.path + "/key.pem")).contains("chmod 600"))
        let curve = try folder.write("p384.pem", P384.Signing.PrivateKey().pemRepresentation)
        for path in [curve, try folder.write("text.pem", "no key"), try folder.write("empty.pem", "")] {
            #expect(try #require(message(path)).contains("openssl genpkey"))
        }
        #expect(throws: SigningError.self) { try VerificationKey(path: curve) }
        #expect(throws: SigningError.self) { try VerificationKey(path: folder.path + "/missing") }
    }

    @Test func aCredentialIsFoundWhereSystemdPutsIt() throws {
        #expect(KeyPlace("") == nil)
        #expect(["/a/b", "signing-key"].allSatisfy(KeyPlace.isValid))
        #expect(!["../key", "a/b", "-k", " ", "k\n"].contains(where: KeyPlace.isValid))
        let place = try #require(KeyPlace("key.pem"))
        _ = try place.read(credentials: folder.path)
        let missing = try #require(KeyPlace("signing-key"))
        for credentials in [folder.path, nil] {
            let error = #expect(throws: SigningError.self) { try missing.read(credentials: credentials) }
            #expect(error?.description.contains("LoadCredential=signing-key") == true)
        }
        _ = try KeyPlace(folder.path + "/key.pem")?.read(credentials: nil)
    }
}
