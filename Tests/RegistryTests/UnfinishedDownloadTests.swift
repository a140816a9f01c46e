import Foundation
import Registry
import Tasks
import Testing

/// A file of its whole length may be half of a download: what the downloader keeps beside it says so.
@Suite struct UnfinishedDownloadTests {
    let registry: TestRegistry

    init() throws {
        registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask()
    }

    @Test(arguments: [
        "model.safetensors.aria2", "model.safetensors.incomplete", "model.safetensors.part", "x.crdownload",
        "model.safetensors.a1b2.partial", ".cache/huggingface/download/model.safetensors.lock",
        ".cache/huggingface/download/abc.incomplete", "model.safetensors.lftp-pget-status",
        "model.safetensors.filepart", "model.safetensors.xltd", "model.safetensors.!ut", "model.safetensors_.gstmp",
        "model.safetensors.baiduyun.p.downloading", ".azDownload-1-model.safetensors", "model.safetensors.st",
        "._____temp/model.safetensors", ".rsync-partial/model.safetensors", ".~tmp~/model.safetensors",
        ".git/lfs/incomplete/abc", ".git/index.lock", "1_Pooling/config.json.aria2", "MODEL.safetensors.ARIA2",
    ]) func waitsWhileADownloadGoesOn(name: String) async throws {
        try registry.write("tasks/t/\(name)", [1])
        let scanner = registry.scanner()
        let task = try await registry.settledScan(scanner).tasks["t"]
        #expect(task?.reason?.contains("download has not ended") == true, "\(String(describing: task))")
        try registry.remove("tasks/t/\(name)")
        #expect(try await registry.settledScan(scanner).tasks["t"]?.content != nil)
    }

    @Test func refusesADownloadThatStalledForLong() async throws {
        try registry.write("tasks/t/model.safetensors.aria2", [1])
        let late = RegistryScanner.systemTime() + 2 * 3600 * 1_000_000_000
        let snapshot = try await registry.settledScan(registry.scanner(wallClock: { late }))
        #expect(snapshot.tasks["t"]?.refusal?.code == "download-unfinished")
    }

    @Test func acceptsWhatHubDownloadsLeaveBehind() async throws {
        try registry.write("tasks/t/.cache/huggingface/download/model.safetensors.lock", [])
        try registry.write("tasks/t/.cache/huggingface/download/model.safetensors.metadata", [1])
        try registry.write("tasks/t/other.bin.part", [1])
        for folder in ["._____temp", ".rsync-partial", ".git/lfs/incomplete"] {
            let path = "\(registry.root)/tasks/t/\(folder)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        #expect(try await registry.settledScan().tasks["t"]?.content != nil)
    }

    @Test func waitsForTheBase() async throws {
        try registry.write("base/model.safetensors.aria2", [1])
        #expect(try await registry.settledScan().base.reason?.contains("download has not ended") == true)
    }
}
