import Files
import Foundation
import Glibc
import Testing

@Suite struct DurableTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Counts mutations and fails from the `limit`-th on, as a power cut does.
    private final class Fuse: @unchecked Sendable {
        var seen: [FileMutation] = []
        let limit: Int
        let errno: Int32
        let once: Bool

        init(limit: Int, errno: Int32 = EIO, once: Bool = false) {
            self.limit = limit
            self.errno = errno
            self.once = once
        }

        func check(_ mutation: FileMutation) throws(FilesError) {
            seen.append(mutation)
            if once ? seen.count == limit : seen.count >= limit {
                throw .system(call: mutation.kind.rawValue, path: mutation.path, errno: errno)
            }
        }
    }

    private func mutations(failingAt limit: Int = .max, once: Bool = false, _ body: () throws -> Void) -> Fuse {
        let fuse = Fuse(limit: limit, once: once)
        let interceptor: @Sendable (FileMutation) throws(FilesError) -> Void = fuse.check
        FileMutation.$interceptor.withValue(interceptor) { try? body() }
        return fuse
    }

    @Test func replaceIsOldOrNewAtEveryStep() throws {
        let path = try scratch.write("file", "old")
        let count = mutations { try Durable.replace(path, with: Array("old".utf8)) }.seen.count
        #expect(count == 5)
        for step in 1...count {
            try scratch.write("file", "old")
            try Durable.remove(scratch.path + "/.file.tmp")
            _ = mutations(failingAt: step) { try Durable.replace(path, with: Array("new".utf8)) }
            #expect(try scratch.text("file") == (step == count ? "new" : "old"), "cut at step \(step)")
        }
        try Durable.replace(path, with: Array("newer".utf8))
        #expect(try Durable.list(scratch.path) == ["file"])
    }

    @Test func replaceCleansUpAfterAnError() throws {
        let path = try scratch.write("file", "old")
        for step in 1...4 {
            let fuse = mutations(failingAt: step, once: true) {
                try Durable.replace(path, with: Array("new".utf8))
            }
            #expect(try Durable.list(scratch.path) == ["file"])
            #expect(fuse.seen.count { $0.kind == .sync } <= 1, "a failed fsync is not retried")
        }
        #expect(try scratch.text("file") == "old")
    }

    @Test func replaceWritesItsMode() throws {
        let path = scratch.path + "/file"
        try Durable.replace(path, with: [1], mode: 0o600)
        #expect(try FileStatus(path: path).mode == 0o600)
    }

    @Test func removeDoesNotFollowLinks() throws {
        try scratch.write("precious/file", "x")
        try scratch.write("tree/a/b/file", "x")
        try scratch.link("tree/a/link", to: scratch.path + "/precious")
        try scratch.link("root", to: "precious")
        try Durable.remove(scratch.path + "/tree")
        try Durable.remove(scratch.path + "/root")
        #expect(try Durable.list(scratch.path) == ["precious"])
        #expect(try scratch.text("precious/file") == "x")
    }

    @Test func removeOfWhatIsNotThere() throws {
        try Durable.remove(scratch.path + "/nothing")
        try Durable.remove(scratch.path + "/nothing/below")
    }

    @Test func removeOfAReadOnlyTree() throws {
        try scratch.write("tree/a/file", "x")
        try Durable.changeMode(scratch.path + "/tree/a", to: 0o500)
        try Durable.changeMode(scratch.path + "/tree", to: 0o500)
        try Durable.remove(scratch.path + "/tree")
        #expect(try Durable.list(scratch.path).isEmpty)
    }

    @Test func createDirectoriesOverAFile() throws {
        try scratch.write("file", "x")
        let path = scratch.path + "/file/below"
        #expect(throws: FilesError.self) { try Durable.createDirectories(path) }
        try Durable.createDirectories(scratch.path + "/a/b/c")
        try Durable.createDirectories(scratch.path + "/a/b/c/")
        #expect(try FileStatus(path: scratch.path + "/a/b/c").kind == .directory)
    }

    @Test func everyNewDirectoryIsFsyncedIntoItsParent() throws {
        let path = scratch.path + "/a/b/c"
        let made = mutations { try Durable.createDirectories(path) }.seen.map { "\($0.kind) \($0.path)" }
        #expect(
            made == [
                "makeDirectory \(scratch.path)/a", "sync \(scratch.path)", "makeDirectory \(scratch.path)/a/b",
                "sync \(scratch.path)/a", "makeDirectory \(path)", "sync \(scratch.path)/a/b",
            ])
        let again = mutations { try Durable.createDirectories(path) }.seen
        #expect(again == [], "what is there was fsynced when it was made")
    }

    @Test func aDirectoryThatCouldNotBeFsyncedIsMadeAnew() throws {
        let path = scratch.path + "/a/b"
        for step in 1...4 {
            let fuse = mutations(failingAt: step, once: true) { try Durable.createDirectories(path) }
            let failed = fuse.seen[step - 1]
            #expect(failed.kind == (step % 2 == 1 ? .makeDirectory : .sync))
            let left = try Durable.list(scratch.path)
            #expect(left == (step > 2 ? ["a"] : []))
            let again = mutations { try Durable.createDirectories(path) }.seen
            #expect(again.count == (step > 2 ? 2 : 4) && again.last?.path == scratch.path + "/a")
            try Durable.remove(scratch.path + "/a")
        }
        var calls = FileCalls()
        calls.sync = { _ in
            errno = EIO
            return -1
        }
        let broken = calls
        let error = #expect(throws: FilesError.self) {
            try FileCalls.$current.withValue(broken) { try Durable.createDirectories(path) }
        }
        #expect(error?.errno == EIO)
        let left = try Durable.list(scratch.path)
        #expect(left == [])
    }

    @Test func syncTreeReachesEveryFileAndFolder() throws {
        try scratch.write("a/b/file", "x")
        try scratch.link("a/link", to: "/dev/null")
        let synced = mutations { try Durable.syncTree(scratch.path) }.seen.map { $0.path }
        #expect(synced == ["/a/b/file", "/a/b", "/a", ""].map { scratch.path + $0 })
    }

    @Test func pointLinkSwitchesWithoutAGap() throws {
        let path = scratch.path + "/current"
        try Durable.pointLink(path, at: "versions/1")
        let fuse = mutations { try Durable.pointLink(path, at: "versions/2") }
        #expect(fuse.seen.map(\.kind) == [.symlink, .rename, .sync])
        #expect(try Durable.linkTarget(path) == "versions/2")
        #expect(try Durable.list(scratch.path) == ["current"])
        #expect(try Durable.linkTarget(scratch.path + "/none") == nil)
    }

    @Test func writerRefusesAnExistingPath() throws {
        let path = try scratch.write("file", "x")
        let error = #expect(throws: FilesError.self) { try WritableFile(creating: path) }
        #expect(error?.errno == EEXIST)
    }

    @Test func aFileThatIsNotThereIsDamageAndADiskThatFailsIsNot() {
        for error in [FilesError.notRegular(path: "/x"), .truncated(path: "/x", offset: 3)] { #expect(error.isDamage) }
        for code in [ENOENT, ENOTDIR, ELOOP, EXDEV] {
            #expect(FilesError.system(call: "open", path: "/x", errno: code).isDamage)
        }
        for code in [EIO, EMFILE, ENFILE, EACCES, ESTALE, ENOMEM] {
            #expect(!FilesError.system(call: "open", path: "/x", errno: code).isDamage)
        }
    }

    @Test func errorsAreOneLineWithAdvice() {
        let errors: [FilesError] = [
            .system(call: "write", path: "/x", errno: ENOSPC), .system(call: "open", path: "/x", errno: EACCES),
            .system(call: "openat2", path: "/x", errno: EXDEV), .notRegular(path: "/x"),
            .truncated(path: "/x", offset: 3), .tooLarge(path: "/x", limit: 3),
        ]
        for error in errors {
            #expect(error.description.hasPrefix("/x: "))
            #expect(error.description.contains("; "))
            #expect(!error.description.contains("\n"))
        }
        #expect(
            errors[0].description
                == "/x: write failed: No space left on device; free space (or inodes) on its file system")
    }
}
