import Files
import Foundation
import Reliability
import Submission
import Tasks
import Testing

/// What is copied, what stays behind, and what a registry holds while and after it is.
@Suite struct SubmissionTests {
    fileprivate let root: String

    init() throws {
        root = NSTemporaryDirectory() + "supermerge-submission-\(UUID().uuidString)"
        try Durable.createDirectories("\(root)/registry/tasks")
        try write("upload/model.safetensors", "weights")
        try write("upload/config.json", "{}")
    }

    fileprivate func write(_ name: String, _ text: String) throws {
        try Durable.createDirectories("\(root)/\(name)".splitPath.directory)
        try Data(text.utf8).write(to: URL(filePath: "\(root)/\(name)"))
    }

    fileprivate func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(root)/\(name)", encoding: .utf8)
    }
    /// Why a folder is not submitted: the code of a refusal, or the message of another fault; nil where it is.
    private func code(_ folder: String, examples: [String] = []) -> String? {
        do {
            _ = try SubmittedFolder("\(root)/\(folder)", examples: examples)
            return nil
        } catch AdmissionFault.refused(let code, _) {
            return code
        } catch {
            return "\(error)"
        }
    }

    fileprivate var tasks: RegistryTasks { RegistryTasks(registry: "\(root)/registry") }
    private func names(_ folder: String) throws -> [String] { try Durable.list("\(root)/\(folder)") }

    @Test func leavesATrainingRunsOwnFilesBehindAndSaysSo() throws {
        defer { try? Durable.remove(root) }
        for name in [
            "training_args.bin", "optimizer.pt", "rng_state_0.pth", "pytorch_model.bin",
            "checkpoint-500/model.safetensors",
        ] {
            try write("upload/\(name)", "x")
        }
        try write("upload/.hidden", "x")
        try write("upload/1_Pooling/config.json", "{}")
        let folder = try SubmittedFolder("\(root)/upload")
        #expect(folder.files.keys.sorted() == ["1_Pooling/config.json", "config.json", "model.safetensors"])
        #expect(
            folder.leftOut.map(\.name)
                == ["checkpoint-500/", "optimizer.pt", "pytorch_model.bin", "rng_state_0.pth", "training_args.bin"])
    }

    /// What nobody can vouch for goes along, so that admission says why it refuses it.
    @Test func doesNotHideWhatAdmissionRefuses() throws {
        defer { try? Durable.remove(root) }
        try write("upload/modeling.py", "x")
        try write("upload/weights.pkl", "x")
        let folder = try SubmittedFolder("\(root)/upload")
        #expect(folder.leftOut.isEmpty && folder.files["modeling.py"] != nil && folder.files["weights.pkl"] != nil)
        try Durable.remove("\(root)/upload/model.safetensors")
        try write("upload/pytorch_model.bin", "x")
        let files = try SubmittedFolder("\(root)/upload").files
        #expect(files["pytorch_model.bin"] != nil, "the only weights that there are")
    }

    @Test func refusesUnfinishedDownloadsNestedCheckpointsAndDanglingLinks() throws {
        defer { try? Durable.remove(root) }
        try write("downloading/model.safetensors", "x")
        try write("downloading/model.safetensors.aria2", "x")
        #expect(code("downloading") == "download-unfinished")
        try write("nested/checkpoint-9/model.safetensors", "x")
        #expect(code("nested") == "nested-checkpoint")
        try write("linked/model.safetensors", "x")
        try FileManager.default.createSymbolicLink(atPath: "\(root)/linked/config.json", withDestinationPath: "nowhere")
        #expect(code("linked") == "dangling-link")
        #expect(code("missing")?.contains("there is no such folder") == true)
    }

    @Test func examplesTakeThePlaceOfTheFoldersOwn() throws {
        defer { try? Durable.remove(root) }
        try write("upload/validation.safetensors", "old")
        try write("mine/dev.jsonl", "{}")
        let folder = try SubmittedFolder("\(root)/upload", examples: ["\(root)/mine/dev.jsonl"])
        #expect(folder.files["validation.jsonl"] != nil && folder.files["validation.safetensors"] == nil)
        #expect(folder.leftOut.map(\.name) == ["validation.safetensors"])
        #expect(code("upload", examples: ["\(root)/mine/dev.txt"])?.contains("can't hold examples") == true)
        #expect(code("upload", examples: ["\(root)/mine/no.csv"])?.contains("there is no such file") == true)
    }

    @Test func putsReplacesAndTakesInOneStep() throws {
        defer { try? Durable.remove(root) }
        let files = try SubmittedFolder("\(root)/upload").files
        #expect(try tasks.put(files, as: "amber") == nil)
        #expect(try names("registry/tasks") == ["amber"])
        #expect(try names("registry/tasks/amber") == ["config.json", "model.safetensors"])
        try write("upload/model.safetensors", "other weights")
        try Durable.remove("\(root)/upload/config.json")
        #expect(try tasks.put(SubmittedFolder("\(root)/upload").files, as: "amber") == nil)
        #expect(try names("registry/tasks/amber") == ["model.safetensors"])
        #expect(try text("registry/tasks/amber/model.safetensors") == "other weights")
        #expect(try tasks.holds("amber") && tasks.take("amber") == nil && !tasks.holds("amber"))
        #expect(try names("registry/tasks").isEmpty)
    }

    /// A process that is stopped before any of its changes leaves the old folder or the new one, and the next call
    /// clears up behind it.
    @Test func everyInterruptionLeavesTheOldOrTheNewFolder() throws {
        defer { try? Durable.remove(root) }
        #expect(try tasks.put(["model.safetensors": "\(root)/upload/model.safetensors"], as: "amber") == nil)
        try write("new/model.safetensors", "new")
        try write("new/config.json", "{}")
        let files = try SubmittedFolder("\(root)/new").files
        var point = 0
        while true {
            let count = CallCounter()
            let stop = point
            let stops: @Sendable (FileMutation) throws(FilesError) -> Void = { mutation throws(FilesError) in
                if count.next() >= stop {
                    throw FilesError.system(call: "interrupted", path: mutation.path, errno: 4)
                }
            }
            FileMutation.$interceptor.withValue(stops) { _ = try? tasks.put(files, as: "amber") }
            let isInterrupted = count.value > stop
            let held = try names("registry/tasks/amber")
            #expect(held == ["model.safetensors"] || held == ["config.json", "model.safetensors"], "point \(stop)")
            guard isInterrupted else { break }
            point += 1
        }
        #expect(point > 8)
        _ = try tasks.put(files, as: "amber")
        #expect(try names("registry/tasks") == ["amber"])
    }

    /// Beside another submission that is under way, nobody takes its folder away.
    @Test func leavesAnotherSubmissionThatIsUnderWayAlone() throws {
        defer { try? Durable.remove(root) }
        try Durable.createDirectories("\(root)/registry/tasks/.submit-birch-1")
        try Durable.createDirectories("\(root)/registry/tasks/.submit-cedar-1")
        let lock = try #require(try DirectoryLock.acquire("\(root)/registry/tasks/.submit-birch-1"))
        _ = try tasks.put(["model.safetensors": "\(root)/upload/model.safetensors"], as: "amber")
        #expect(try names("registry/tasks") == [".submit-birch-1", "amber"])
        withExtendedLifetime(lock) {}
    }

    /// The registry's folders pass their group on, and a training job's umask may keep its group out.
    @Test func theGroupCanReadAndReplaceWhatAStrictUmaskWouldHideInOwnProcess() async {
        await #expect(processExitsWith: .success) {
            let root = NSTemporaryDirectory() + "supermerge-umask-\(UUID().uuidString)"
            defer { try? Durable.remove(root) }
            try Durable.createDirectories("\(root)/tasks", mode: 0o750)
            try Durable.changeMode("\(root)/tasks", to: 0o2775)
            try Data("x".utf8).write(to: URL(filePath: "\(root)/file"))
            umask(0o077)
            _ = try RegistryTasks(registry: root).put(
                ["a.json": "\(root)/file", "1_Pooling/config.json": "\(root)/file"], as: "t")
            let folder = "\(root)/tasks/t"
            for path in [folder, "\(folder)/1_Pooling"] {
                let mode = try FileStatus(path: path).mode
                guard mode & 0o2070 == 0o2070 else { fatalError("\(path) has \(String(mode, radix: 8))") }
            }
            let mode = try FileStatus(path: "\(folder)/a.json").mode
            guard mode & 0o440 == 0o440 else { fatalError(String(mode, radix: 8)) }
        }
    }
}

extension SubmissionTests {
    @Test func imagesGoAlongAndAFolderOfThemTakesTheirPlace() throws {
        defer { try? Durable.remove(root) }
        for name in ["validation.csv", "validation/a.png", "validation/cats/b.jpg", "images/c.png"] {
            try write("upload/\(name)", "own")
        }
        try write("mine/a.png", "mine")
        try write("mine/metadata.csv", "file_name,label\na.png,0\n")
        try write("mine.csv", "file,label\na.png,0\n")
        let own = try SubmittedFolder("\(root)/upload")
        #expect(
            own.files.keys.filter { $0.contains("/") }.sorted() == [
                "images/c.png", "validation/a.png", "validation/cats/b.jpg",
            ])
        #expect(try tasks.put(own.files, as: "amber") == nil)
        #expect(try text("registry/tasks/amber/validation/cats/b.jpg") == "own")

        let table = try SubmittedFolder("\(root)/upload", examples: ["\(root)/mine.csv"])
        #expect(table.files["validation/a.png"] != nil && table.leftOut.map(\.name) == ["validation.csv"])
        let folder = try SubmittedFolder("\(root)/upload", examples: ["\(root)/mine"])
        #expect(
            folder.files.keys.sorted() == [
                "config.json", "model.safetensors", "validation/a.png", "validation/metadata.csv",
            ])
        #expect(folder.leftOut.map(\.name).sorted() == ["images", "validation", "validation.csv"])
    }
}
