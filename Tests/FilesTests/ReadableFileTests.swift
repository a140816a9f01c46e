import Files
import Foundation
import Glibc
import Testing

@Suite struct ReadableFileTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func fifoDoesNotBlock() throws {
        let path = scratch.path + "/pipe"
        try #require(mkfifo(path, 0o600) == 0)
        #expect(throws: FilesError.notRegular(path: path)) { try ReadableFile(path: path) }
        #expect(throws: FilesError.notRegular(path: path)) {
            try ReadableFile(name: "pipe", beneath: scratch.path)
        }
    }

    @Test func directoryIsNoFile() throws {
        #expect(throws: FilesError.notRegular(path: scratch.path)) { try ReadableFile(path: scratch.path) }
    }

    @Test func linkIsNotFollowed() throws {
        try scratch.write("real", "x")
        try scratch.link("link", to: "real")
        let path = scratch.path + "/link"
        #expect(throws: FilesError.system(call: "open", path: path, errno: ELOOP)) { try ReadableFile(path: path) }
        #expect(try ReadableFile(path: path, followingLinks: true).size == 1)
    }

    @Test(arguments: ["../outside", "up/outside", "absolute", "tasks/../../outside", "/etc/passwd"])
    func nameThatLeavesTheDirectory(name: String) throws {
        try scratch.write("outside", "secret")
        try scratch.write("inside/tasks/file", "x")
        try scratch.link("inside/up", to: "..")
        try scratch.link("inside/absolute", to: scratch.path + "/outside")
        let error = #expect(throws: FilesError.self) {
            try ReadableFile(name: name, beneath: scratch.path + "/inside")
        }
        #expect(error?.errno == EXDEV)
    }

    @Test func linkThatStaysInside() throws {
        try scratch.write("inside/a/real", "content")
        try scratch.link("inside/a/link", to: "../a/real")
        let file = try ReadableFile(name: "a/link", beneath: scratch.path + "/inside")
        #expect(try file.contents() == Array("content".utf8))
    }

    @Test func nameWithNul() throws {
        try scratch.write("a", "x")
        #expect(throws: FilesError.self) { try ReadableFile(name: "a\0b", beneath: scratch.path) }
        #expect(throws: FilesError.self) { try ReadableFile(path: scratch.path + "/a\0b") }
    }

    @Test func identityTellsAnOverwriteOfTheSameLength() throws {
        let path = try scratch.write("file", "aaaa")
        let file = try ReadableFile(path: path)
        let before = try file.identity()
        #expect(try file.identity() == before)
        #expect(try FileIdentity.of(path: path) == before)
        let times = [timespec(tv_sec: 1, tv_nsec: 5), timespec(tv_sec: 1, tv_nsec: 5)]
        try #require(utimensat(AT_FDCWD, path, times, 0) == 0)
        let after = try file.identity()
        #expect(after != before)
        #expect(after.modified == 1_000_000_005)
        #expect(before.description.split(separator: ":").count == 5)
    }

    @Test func digestVisitsEveryByteOnce() throws {
        let text = String(repeating: "0123456789", count: 1000)
        let file = try ReadableFile(path: scratch.write("file", text))
        var seen: [UInt8] = []
        let digest = try file.sha256(chunk: 333) { bytes, offset in
            #expect(offset == Int64(seen.count))
            seen.append(contentsOf: bytes)
        }
        #expect(seen == Array(text.utf8))
        #expect(digest == Digest.sha256(text.utf8))
    }

    @Test func fileThatShrinksWhileItIsRead() throws {
        let path = try scratch.write("file", "0123456789")
        let file = try ReadableFile(path: path)
        try #require(truncate(path, 4) == 0)
        #expect(throws: FilesError.truncated(path: path, offset: 4)) { try file.sha256() }
    }

    @Test func contentsAboveTheLimit() throws {
        let path = try scratch.write("file", "0123456789")
        #expect(throws: FilesError.tooLarge(path: path, limit: 9)) { try Durable.contents(path, limit: 9) }
        #expect(try Durable.contents(path, limit: 10).count == 10)
    }

    @Test func contentsWithoutASize() throws {
        #expect(try Durable.contents("/proc/self/status").isEmpty == false)
    }

    @Test func digestOfKnownText() {
        #expect(Digest.sha256([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(Digest.sha256("abc".utf8) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
