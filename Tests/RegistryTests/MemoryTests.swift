import Foundation
import Registry
import Synchronization
import Testing

@Suite struct MemoryTests {
    let registry: TestRegistry

    init() throws {
        registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask()
    }

    /// Stands for a digest in the memory, so that a reading (which would find the true one) shows.
    private func forge(_ old: String, _ new: String) throws {
        let file = URL(filePath: registry.cache)
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.contains(old))
        try Data(text.replacing(old, with: new).utf8).write(to: file)
    }

    @Test func restartReadsNothingAgain() async throws {
        let first = try await registry.settledScan()
        let digest = try #require(first.tasks["t"]?.content?.source.files[0].sha256)
        #expect(try await registry.settledScan() == first)
        let forged = String(repeating: "0", count: 64)
        try forge(digest, forged)
        #expect(try await registry.settledScan().tasks["t"]?.content?.source.files[0].sha256 == forged)
    }

    @Test func changedFileIsReadAgain() async throws {
        let first = try await registry.settledScan()
        let digest = try #require(first.tasks["t"]?.content?.source.files[0].sha256)
        try forge(digest, String(repeating: "0", count: 64))
        try registry.writeTask()
        #expect(try await registry.settledScan().tasks["t"]?.content?.source.files[0].sha256 == digest)
    }

    @Test(arguments: ["", "{", "[]", #"{"format":1,"files":{}}"#, #"{"format":3,"files":{"x":{"sha256":"y"}}}"#])
    func garbage(content: String) async throws {
        try Data(content.utf8).write(to: URL(filePath: registry.cache))
        #expect(try await registry.settledScan().tasks["t"]?.content != nil)
    }

    @Test func unwritableMemoryCostsNothingButTime() async throws {
        try FileManager.default.createDirectory(atPath: registry.cache, withIntermediateDirectories: false)
        #expect(try await registry.settledScan().tasks["t"]?.content != nil)
    }

    @Test func observerHearsOfReadingsOnly() async throws {
        let heard = Mutex<[String]>([])
        let scanner = registry.scanner()
        let observer: RegistryScanner.AdmissionObserver = { name, bytes in
            heard.withLock { $0.append(bytes > 0 ? name : "") }
        }
        _ = try await scanner.scan(onAdmission: observer)
        registry.advance(.seconds(5))
        _ = try await scanner.scan(onAdmission: observer)
        _ = try await scanner.scan(onAdmission: observer)
        #expect(heard.withLock { $0 } == ["base", "t"])
    }
}
