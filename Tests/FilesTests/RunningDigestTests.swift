import Files
import Foundation
import Glibc
import Testing

/// Whatever of a file passes by, and in which order, the digest is that of the file.
@Suite struct RunningDigestTests {
    let scratch: Scratch
    private let content = (0..<5000).map { UInt8(truncatingIfNeeded: $0 * 31 + $0 / 256) }

    init() throws { scratch = try Scratch() }

    private func file(_ bytes: [UInt8]) throws -> ReadableFile {
        let path = scratch.path + "/file"
        try Data(bytes).write(to: URL(filePath: path))
        return try ReadableFile(path: path)
    }

    private func digest(passing ranges: [Range<Int>]) throws -> String {
        let digest = RunningDigest(try file(content))
        for range in ranges {
            try content.withUnsafeBytes {
                try digest.pass(UnsafeRawBufferPointer(rebasing: $0[range]), at: Int64(range.lowerBound))
            }
        }
        return try digest.finish()
    }

    @Test(arguments: [
        [], [0..<5000], [0..<1000, 1000..<5000], [0..<1, 1..<2, 2..<4999], [0..<0, 5000..<5000],
    ]) func readsInOrder(ranges: [Range<Int>]) throws {
        #expect(try digest(passing: ranges) == Digest.sha256(content))
    }

    @Test(arguments: [[8..<1000], [8..<1000, 2000..<2500, 4990..<4999], [4999..<5000]]) func gaps(ranges: [Range<Int>])
        throws
    {
        #expect(try digest(passing: ranges) == Digest.sha256(content))
    }

    @Test(arguments: [
        [3000..<4000, 0..<1000, 1000..<3000], [2000..<5000, 0..<2000], [0..<100, 4000..<5000, 100..<200],
    ]) func readsOutOfOrder(ranges: [Range<Int>]) throws {
        #expect(try digest(passing: ranges) == Digest.sha256(content))
    }

    @Test(arguments: [
        [0..<1000, 0..<1000], [0..<1000, 500..<1500, 1400..<2000], [0..<5000, 0..<5000],
        [100..<300, 50..<400, 400..<500],
    ]) func readsThatOverlapOrComeAgain(ranges: [Range<Int>]) throws {
        #expect(try digest(passing: ranges) == Digest.sha256(content))
    }

    @Test func anEmptyFile() throws {
        #expect(try RunningDigest(file([])).finish() == Digest.sha256([]))
    }

    @Test func aGapTooLongToReadTwiceIsReadAtTheEnd() throws {
        let path = scratch.path + "/sparse"
        let size = (17 << 20) + 5
        try Data().write(to: URL(filePath: path))
        try #require(truncate(path, off_t(size)) == 0)
        let file = try ReadableFile(path: path)
        let digest = RunningDigest(file)
        // Had these bytes been taken, the digest would be another one.
        try [1, 2, 3, 4, 5].withUnsafeBytes { try digest.pass($0, at: Int64(17 << 20)) }
        #expect(try digest.finish() == file.sha256())
    }

    @Test func aFileThatShrinksIsTruncated() throws {
        let file = try file(content)
        let digest = RunningDigest(file)
        try content.withUnsafeBytes { try digest.pass(UnsafeRawBufferPointer(rebasing: $0[..<1000]), at: 0) }
        try #require(truncate(file.path, 1500) == 0)
        #expect(throws: FilesError.truncated(path: file.path, offset: 1500)) { try digest.finish() }
    }

    @Test func aGapInAFileThatShrinksIsTruncated() throws {
        let file = try file(content)
        try #require(truncate(file.path, 10) == 0)
        let digest = RunningDigest(file)
        #expect(throws: FilesError.truncated(path: file.path, offset: 10)) {
            try content.withUnsafeBytes { try digest.pass(UnsafeRawBufferPointer(rebasing: $0[100..<200]), at: 100) }
        }
    }
}
