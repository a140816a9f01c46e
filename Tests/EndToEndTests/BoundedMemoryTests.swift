import Files
import Foundation
import Testing
import WorkerProtocol

/// Models that are larger than what a process may have in memory: looked into, merged by what learns nothing, and
/// published.
@Suite(.serialized)
struct BoundedMemoryTests {
    /// KiB of writable private memory, stacks of threads among it: half of a checkpoint, and less than its largest
    /// tensor.
    private static let limit = LargeModel.bytes >> 11
    /// Too little for any of the programs: it fails where the kernel keeps to the limit at all.
    private static let tooLittle = 4 << 10

    /// A shell that runs what follows under a limit; stacks of threads count whole, so they are made small.
    private static func wrapper(_ limit: Int) -> [String] {
        ["/bin/sh", "-c", "ulimit -s 256 && ulimit -d \(limit) && exec \"$0\" \"$@\""]
    }

    private func run(_ arguments: [String], limit: Int = Self.limit) throws -> Execution {
        let command = Self.wrapper(limit) + [Programs.merge] + arguments
        return try Execution.run(command[0], Array(command.dropFirst()))
    }

    /// Whether such a limit holds here; says why nothing is tested where it does not.
    private func isLimited() throws -> Bool {
        let isLimited = try run(["--version"], limit: Self.tooLittle).status != 0
        if !isLimited { print("skipped: this kernel does not keep to RLIMIT_DATA") }
        return isLimited
    }

    private func models(in folder: String) throws -> (base: String, tasks: [String]) {
        let (base, tasks) = (folder + "/registry/base", ["ash", "beech"].map { folder + "/registry/tasks/" + $0 })
        for (seed, path) in ([base] + tasks).enumerated() { try LargeModel.write(to: path, seed: UInt8(seed)) }
        return (base, tasks)
    }

    @Test func staticMergesAndInspectTakeHalfOfTheModel() throws {
        guard try isLimited() else { return }
        let folder = try TemporaryFolder()
        let (base, tasks) = try models(in: folder.path)
        let inputs = ["--base", base] + tasks.flatMap { ["--task", $0] }
        for (method, size) in [("average", "5GB"), ("ties", "5GB"), ("dare", "32MiB")] {
            let output = "\(folder.path)/\(method)"
            let flags = ["--threads", "2", "--method", method, "--max-shard-size", size, "--output", output]
            let merged = try run(["merge"] + flags + inputs)
            #expect(merged.status == 0, "\(method): \(merged.errors)")
            let shards = try Durable.list(output).filter { $0.hasPrefix("model") && $0.hasSuffix(".safetensors") }
            let bytes = try shards.reduce(0) { try $0 + FileStatus(path: "\(output)/\($1)").identity.size }
            #expect(bytes > LargeModel.bytes && shards.count == (size == "5GB" ? 1 : 3), "\(shards)")
        }
        let inspected = try run(["inspect", folder.path + "/dare", "--base", base])
        #expect(
            inspected.status == 0 && inspected.output.contains("would be admitted as a task"), "\(inspected.errors)")
    }

    @Test func theDaemonAdmitsKeepsAndPublishesInHalfOfTheModel() throws {
        guard try isLimited() else { return }
        let folder = try TemporaryFolder()
        let (base, tasks) = try models(in: folder.path)
        let site = try Site(merge: ["method": "average"], base: base)
        for task in tasks { try site.drop(URL(filePath: task).lastPathComponent, of: task) }
        let daemon = try DaemonProcess(site, under: Self.wrapper(Self.limit))
        defer { daemon.kill() }
        try daemon.waitUntilReady()
        try site.settle("two large tasks")
        let release = try #require(try site.release())
        #expect(release.record.tasks.map(\.name) == ["ash", "beech"])
        #expect(release.record.result.outputs.contains { $0.bytes > Int64(LargeModel.bytes) })
        #expect(try site.control("verify").status == 0)
        #expect(try site.control("rollback", "1").output.contains("deployed already"))
    }
}
