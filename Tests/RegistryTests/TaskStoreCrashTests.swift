import Files
import Foundation
import Glibc
import Registry
import Reliability
import Synchronization
import Testing
import WorkerProtocol

/// Stops and fails the copying of deployed tasks' files at each of its calls: what stands under a digest is whole.
@Suite struct TaskStoreCrashTests {
    enum Fault: String, CaseIterable, Sendable {
        case killed, EIO, ENOSPC, EINTR, shortWrite = "short-write", interrupted

        var words: String {
            switch self {
            case .killed: "stopped before each call"
            case .EIO, .ENOSPC, .EINTR: "each call fails once with \(rawValue)"
            case .shortWrite: "each write takes only its first byte"
            case .interrupted: "each write is interrupted"
            }
        }

        var errno: Int32 { [.EIO: Glibc.EIO, .EINTR: Glibc.EINTR][self] ?? Glibc.ENOSPC }
    }

    private let path = FileManager.default.temporaryDirectory.appending(path: "kept-\(UUID().uuidString)").path

    private func task() throws -> TaskSource {
        try FileManager.default.createDirectory(atPath: path + "/registry/t", withIntermediateDirectories: true)
        let files = try ["model.safetensors", "validation.safetensors"].map { name in
            let bytes = Array("\(name) has these bytes".utf8)
            let place = "\(path)/registry/t/\(name)"
            try Durable.replace(place, with: bytes)
            return SourceFile(
                name: name, bytes: Int64(bytes.count), sha256: Digest.sha256(bytes),
                stamp: try FileIdentity.of(path: place).description)
        }
        return TaskSource(
            name: "t", directory: path + "/registry/t", files: files,
            digest: Digest.manifest(files.map { ($0.name, $0.sha256) }), settings: TaskSettings())
    }

    private func isWhole(_ task: TaskSource) throws -> Bool {
        try task.files.allSatisfy {
            Digest.sha256(try Durable.contents("\(task.directory)/\($0.name)")) == $0.sha256
        }
    }

    @Test(arguments: Fault.allCases) func atEveryCall(fault: Fault) async throws {
        defer { try? Durable.remove(path) }
        let tally = OutcomeCounter(
            "task-store-\(fault.rawValue)", "copying a deployed task's files, \(fault.words)",
            forbidden: ["half", "not kept at the next try"])
        let task = try task()
        let store = TaskStore(directory: path + "/kept")
        for step in 1...100 {
            try Durable.remove(path + "/kept")
            let faults = StoreFaults(fault, step)
            let isKept = await faults.within { (try? await store.keep(task, root: path + "/registry")) != nil }
            if faults.count < step, isKept { break }
            let found = await TaskStore(directory: path + "/kept").find(task)
            let isGood = try found.map(isWhole) ?? !isKept
            #expect(isGood, "\(fault) at step \(step)")
            tally.note(!isGood ? "half" : found == nil ? "none" : "whole")
            if fault == .shortWrite || fault == .interrupted { #expect(isKept, "\(fault) at step \(step)") }
            let again = try await store.keep(task, root: path + "/registry")
            try await store.retain([task.digest])
            let names = try Durable.list(path + "/kept")
            #expect(try isWhole(again) && names == [task.digest], "\(fault) at step \(step)")
            if try !isWhole(again) || names != [task.digest] { tally.note("not kept at the next try") }
            #expect(step < 100, "it never ended")
        }
        #expect(tally.isGood)
        try tally.write()
    }
}

/// Counts the calls that a fault concerns and lets one of them meet it.
private final class StoreFaults: Sendable {
    private let fault: TaskStoreCrashTests.Fault
    private let step: Int
    private let seen = Mutex(0)

    init(_ fault: TaskStoreCrashTests.Fault, _ step: Int) { (self.fault, self.step) = (fault, step) }

    var count: Int { seen.withLock(\.self) }

    private func next() -> Int {
        seen.withLock { seen in
            seen += 1
            return seen
        }
    }

    func within<Value: Sendable>(_ body: () async -> Value) async -> Value {
        guard fault == .shortWrite || fault == .interrupted else {
            let interceptor: @Sendable (FileMutation) throws(FilesError) -> Void = {
                [self] mutation throws(FilesError) in
                let number = next()
                guard number == step || (fault == .killed && number > step) else { return }
                throw .system(call: mutation.kind.rawValue, path: mutation.path, errno: fault.errno)
            }
            return await FileMutation.$interceptor.withValue(interceptor) { await body() }
        }
        var calls = FileCalls()
        let real = FileCalls()
        calls.write = { [self] descriptor, bytes in
            guard next() == step else { return real.write(descriptor, bytes) }
            if fault == .shortWrite { return real.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(1))) }
            errno = EINTR
            return -1
        }
        return await FileCalls.$current.withValue(calls) { await body() }
    }
}
