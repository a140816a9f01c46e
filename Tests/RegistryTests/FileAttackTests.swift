import Files
import Foundation
import Registry
import Reliability
import Tasks
import Testing

/// Attacks by what stands at a name, not by what is in the file.
@Suite struct FileAttackTests {
    let registry: TestRegistry
    private static let tally = OutcomeCounter(
        attacks: "attack-names", "a drop in which a link, pipe, device, folder or strange name stands for a file")

    init() throws {
        registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask("good")
        try registry.writeTask()
    }

    /// The code by which task `t` is refused; the good one beside it must stay accepted.
    private func code() async throws -> String? {
        let snapshot = try await registry.settledScan()
        #expect(snapshot.tasks["good"]?.content != nil)
        let refusal = snapshot.tasks["t"]?.refusal
        #expect(refusal?.message.unicodeScalars.contains { $0.properties.generalCategory == .control } != true)
        return refusal?.code
    }

    private static let names = ["model.safetensors", "validation.safetensors", "task.yaml", "notes"]

    @Test(arguments: names) func fifo(name: String) async throws {
        try? registry.remove("tasks/t/\(name)")
        #expect(mkfifo("\(registry.root)/tasks/t/\(name)", 0o600) == 0)
        try await Self.tally.expect(code(), is: "not-regular")
    }

    @Test(arguments: names) func socket(name: String) async throws {
        try? registry.remove("tasks/t/\(name)")
        #expect(mknod("\(registry.root)/tasks/t/\(name)", S_IFSOCK | 0o600, 0) == 0)
        try await Self.tally.expect(code(), is: "not-regular")
    }

    /// `/dev/zero` never ends. Only root can make one.
    @Test(.enabled(if: geteuid() == 0, "only root can make a device"), arguments: names)
    func device(name: String) async throws {
        try? registry.remove("tasks/t/\(name)")
        guard mknod("\(registry.root)/tasks/t/\(name)", S_IFCHR | 0o666, 1 << 8 | 5) == 0 else {
            return try Skip.note("no device can be made here")
        }
        try await Self.tally.expect(code(), is: "not-regular")
    }

    @Test(arguments: ["/dev/zero", "/proc/self/environ", "/dev/stdin"]) func linkToWhatNeverEnds(target: String)
        async throws
    {
        try registry.remove("tasks/t/model.safetensors")
        symlink(target, registry.root + "/tasks/t/model.safetensors")
        try await Self.tally.expect(code(), is: "link-leaves-registry")
    }

    @Test func linksInACircle() async throws {
        try registry.remove("tasks/t/model.safetensors")
        symlink("b", registry.root + "/tasks/t/model.safetensors")
        symlink("model.safetensors", registry.root + "/tasks/t/b")
        try await Self.tally.expect(code(), is: "link-leaves-registry")
    }

    @Test func directoryInsteadOfAFile() async throws {
        try registry.remove("tasks/t/model.safetensors")
        try registry.write("tasks/t/model.safetensors/x", [1])
        try await Self.tally.expect(code(), is: "not-regular")
    }

    /// A second name of a file elsewhere: its content counts, and a change by the other name is a change.
    @Test func hardLinkIsTheFileThatItNames() async throws {
        let outside = registry.path + "/outside"
        try FileManager.default.moveItem(atPath: registry.root + "/tasks/t/model.safetensors", toPath: outside)
        #expect(link(outside, registry.root + "/tasks/t/model.safetensors") == 0)
        let scanner = registry.scanner()
        let before = try await registry.settledScan(scanner)
        let first = try #require(before.tasks["t"]?.content)
        try Data(TestTensor.file(TestRegistry.taskTensors(shift: 0.5))).write(to: URL(filePath: outside), options: [])
        let after = try await registry.settledScan(scanner)
        let second = try #require(after.tasks["t"]?.content)
        #expect(first.source.digest != second.source.digest)
    }

    /// Folders in a drop are nobody's business.
    @Test func foldersWithoutAnEnd() async throws {
        try registry.write("tasks/t/" + (0..<300).map { "d\($0)" }.joined(separator: "/") + "/x", [1])
        try await Self.tally.expect(code(), is: nil)
    }

    /// A sparse file of terabytes takes a moment to make, and hours to read.
    @Test(arguments: [("model.safetensors", "malformed"), ("validation.safetensors", "too-large")])
    func fileOfTerabytes(name: String, expected: String) async throws {
        #expect(truncate("\(registry.root)/tasks/t/\(name)", 5 << 40) == 0)
        try await Self.tally.expect(code(), is: expected)
    }

    @Test func moreFilesThanAnyCheckpoint() async throws {
        for number in 0..<4200 { try registry.write("tasks/t/f\(number)", []) }
        try await Self.tally.expect(code(), is: "too-many-files")
    }

    @Test(arguments: ["\u{1B}[2J", "a\nb", "a\u{7}", "\u{9B}31m", "\u{202E}cod.exe"]) func nameThatSteersATerminal(
        name: String
    ) async throws {
        try registry.write("tasks/t/\(name).py", [1])
        try await Self.tally.expect(code(), is: "code")
    }

    @Test func nameThatIsNotUTF8() async throws {
        let path = Array("\(registry.root)/tasks/t/".utf8) + [0xFF, 0xFE] + Array(".bin".utf8) + [0]
        let descriptor = path.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_CREAT | O_WRONLY, 0o600) }
        }
        #expect(descriptor >= 0)
        close(descriptor)
        let task = try await registry.settledScan().tasks["t"]
        let names = task?.content?.source.files.map(\.name) ?? []
        #expect(names.allSatisfy { Self.names.contains($0) }, "what can't be named is in no merge")
    }
}
