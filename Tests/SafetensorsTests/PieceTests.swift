import Files
import Testing

@testable import Safetensors

/// Tensors that are read a piece at a time.
struct PieceTests {
    /// A tensor of one byte before `count` bytes that no period of a piece repeats.
    private func written(_ count: Int, in scratch: Scratch) throws -> (SafetensorsFile, [UInt8]) {
        let path = scratch.path + "/model.safetensors"
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 % 251) }
        let slots = [
            SafetensorsWriter.Slot(name: "before", dtype: .u8, shape: [1]),
            SafetensorsWriter.Slot(name: "it", dtype: .u8, shape: [count]),
        ]
        let writer = try SafetensorsWriter(path: path, slots: slots)
        for content in [[7], bytes] where !content.isEmpty { try content.withUnsafeBytes { try writer.append($0) } }
        _ = try writer.finish()
        return (try SafetensorsFile(file: ReadableFile(path: path)), bytes)
    }

    @Test(arguments: [0, 1, 1 << 20, 1 << 20 + 1, 3 << 20 - 1]) func piecesAreTheWholeTensor(count: Int) throws {
        let scratch = try Scratch()
        let (file, expected) = try written(count, in: scratch)
        let entry = try #require(file.entry("it"))
        var read: [UInt8] = []
        var sizes: [Int] = []
        while true {
            let piece = try file.piece(of: entry, at: Int64(read.count))
            guard !piece.isEmpty else { break }
            read += piece
            sizes.append(piece.count)
        }
        #expect(read == expected)
        #expect(sizes.dropLast().allSatisfy { $0 == 1 << 20 } && sizes.allSatisfy { $0 <= 1 << 20 })
    }

    @Test(arguments: [-1, 11, Int64.max]) func whatLiesBesideTheTensorIsAnError(offset: Int64) throws {
        let scratch = try Scratch()
        let (file, _) = try written(10, in: scratch)
        let entry = try #require(file.entry("it"))
        #expect(throws: SafetensorsError.self) { _ = try file.piece(of: entry, at: offset) }
    }

    /// Two names of one tensor, whose bytes differ in the last piece or not at all.
    @Test(arguments: [true, false]) func aDifferenceIsFoundInTheLastPiece(isThere: Bool) throws {
        let scratch = try Scratch()
        let path = scratch.path + "/model.safetensors"
        let count = 2 << 20 + 3
        let slots = ["a", "b"].map { SafetensorsWriter.Slot(name: $0, dtype: .u8, shape: [count]) }
        let writer = try SafetensorsWriter(path: path, slots: slots)
        var bytes = [UInt8](repeating: 5, count: count)
        try bytes.withUnsafeBytes { try writer.append($0) }
        if isThere { bytes[count - 1] = 6 }
        try bytes.withUnsafeBytes { try writer.append($0) }
        _ = try writer.finish()
        let checkpoint = try Checkpoint(directory: scratch.path)
        let fault = try checkpoint.untied(among: [["a", "b"]])
        #expect((fault != nil) == isThere)
    }
}
