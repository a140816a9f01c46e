import Files
import Foundation
import Testing

/// Files without a name.
struct ScratchFileTests {
    private func read(_ file: ScratchFile, _ count: Int, at offset: Int64) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
        return bytes
    }

    @Test func givesBackWhatWasWrittenAnywhereAndLeavesNoName() throws {
        let scratch = try Scratch()
        let file = try ScratchFile(path: scratch.path + "/values.tmp")
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
        try [4, 5, 6].withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in try file.write(bytes, at: 100) }
        try [UInt8(1), 2].withUnsafeBytes { try file.write($0, at: 0) }
        #expect(file.count == 100 + 3 * Int64(MemoryLayout<Int>.size))
        #expect(try read(file, 2, at: 0) == [1, 2] && read(file, 1, at: 100) == [4])
    }

    @Test func refusesToReadBehindTheEndAndAPathThatIsThere() throws {
        let scratch = try Scratch()
        let file = try ScratchFile(path: scratch.path + "/values.tmp")
        #expect(throws: FilesError.self) { try read(file, 1, at: 0) }
        let other = try scratch.write("other", "there")
        #expect(throws: FilesError.self) { try ScratchFile(path: other) }
        #expect(try scratch.text("other") == "there")
    }
}
