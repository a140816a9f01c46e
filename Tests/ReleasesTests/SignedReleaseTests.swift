import Crypto
import Files
import Foundation
import Signing
import Testing
import WorkerProtocol

@testable import Releases

@Suite struct SignedReleaseTests {
    let deployment: Deployment
    let keyPath: String
    let publicKey: VerificationKey
    var store: ReleaseStore

    init() throws {
        deployment = try Deployment()
        _ = try deployment.store.recover()
        keyPath = deployment.path + "/key.pem"
        let key = P256.Signing.PrivateKey()
        try Durable.replace(keyPath, with: Array(key.pemRepresentation.utf8))
        try Durable.replace(deployment.path + "/public.pem", with: Array(key.publicKey.pemRepresentation.utf8))
        publicKey = try VerificationKey(path: deployment.path + "/public.pem")
        store = deployment.store
        store.signingKey = KeyPlace(keyPath)
    }

    private func publish(_ merge: String = "m1", value: UInt8 = 1) throws -> Release {
        let (staging, record) = try deployment.stage(merge, value: value)
        return try store.publish(staging: staging, baseDirectory: deployment.base, record: record)
    }

    @Test func aReleaseAndItsRollbackAreSigned() throws {
        let release = try publish()
        _ = try publish("m2", value: 2)
        let back = try store.rollback(to: 1, created: "2026-02-01T00:00:00Z")
        for version in [release.version, 2, back.version] {
            #expect(try store.verify(version) == [])
            #expect(try store.verifySignature(version, key: publicKey) == [])
        }
        let status = try FileStatus(path: release.directory + "/model.sig")
        #expect(status.mode & 0o222 == 0 && status.mode & 0o440 == 0o440)
    }

    @Test func whatWasChangedTogetherWithItsRecordIsSeen() throws {
        let release = try publish()
        try Durable.changeMode(release.directory, to: 0o750)
        let path = release.directory + "/vocab.txt"
        try Durable.replace(path, with: [1])
        var record = release.record
        let place = try #require(record.result.outputs.firstIndex { $0.name == "vocab.txt" })
        record.result.outputs[place].sha256 = Digest.sha256([1])
        record.result.outputs[place].bytes = 1
        try Durable.replace(release.directory + "/release.json", with: Array(JSON.encode(record)))
        #expect(try store.verify(1) == [], "the digests agree with each other again")
        #expect(try store.verifySignature(1, key: publicKey) == ["release.json", "vocab.txt"])
        try Durable.remove(release.directory + "/model.sig")
        #expect(throws: SigningError.self) { try store.verifySignature(1, key: publicKey) }
    }

    @Test func withoutAUsableKeyNothingIsPublished() throws {
        _ = try publish()
        try Durable.replace(keyPath, with: Array("no key".utf8))
        for _ in 0..<2 {
            let (staging, record) = try deployment.stage("m2", value: 2)
            let error = #expect(throws: SigningError.self) {
                try store.publish(staging: staging, baseDirectory: deployment.base, record: record)
            }
            #expect(error.map { "\($0)" }?.contains("; ") == true)
            #expect(throws: SigningError.self) { try store.rollback(to: 1, created: "2026-02-01T00:00:00Z") }
            try Durable.remove(keyPath)
        }
        #expect(try store.current()?.version == 1)
        #expect(try Durable.list(store.stagings) == [])
        #expect(try store.recover()?.version == 1)
        #expect(try Durable.list(store.versions) == ["1"])
    }

    @Test func provenanceNamesInputsAndOutputs() throws {
        let (staging, candidate) = try deployment.stage()
        var record = candidate
        record.tasks[0].files = [SourceFile(name: "model.safetensors", bytes: 1, sha256: "a0")]
        record.result.programs = ["supermerge": "c0"]
        record.result.started = "2025-12-31T23:59:00Z"
        let release = try store.publish(staging: staging, baseDirectory: deployment.base, record: record)
        let text = try Durable.contents(release.directory + "/provenance.json")
        let statement = try #require(try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any])
        #expect(statement["_type"] as? String == "https://in-toto.io/Statement/v1")
        #expect(statement["predicateType"] as? String == "https://slsa.dev/provenance/v1")
        let subjects = try #require(statement["subject"] as? [[String: Any]])
        #expect(subjects.compactMap { $0["name"] as? String }.contains("model.safetensors"))
        let predicate = try #require(statement["predicate"] as? [String: Any])
        let definition = try #require(predicate["buildDefinition"] as? [String: Any])
        let inputs = try #require(definition["resolvedDependencies"] as? [[String: Any]])
        #expect(inputs.compactMap { $0["name"] as? String } == ["tasks/sst2/model.safetensors", "supermerge"])
        #expect(inputs.compactMap { ($0["digest"] as? [String: String])?["sha256"] } == ["a0", "c0"])
        let run = try #require(predicate["runDetails"] as? [String: Any])
        let metadata = try #require(run["metadata"] as? [String: String])
        #expect(metadata["invocationId"] == "m1" && metadata["startedOn"] == "2025-12-31T23:59:00Z")
        #expect(metadata["finishedOn"] == record.created)
    }
}
