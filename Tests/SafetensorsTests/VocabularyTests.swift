import Files
import Foundation
import Testing

@testable import Safetensors

/// Vocabularies that were cut or padded at the end: a row for each token, whose number stands in it.
struct VocabularyTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Tensors of `rows` rows of two, row r holding `first + r`.
    private func checkpoint(_ rows: [String: Int], _ dtype: SafetensorsDType = .f32, from first: Float = 0) throws
        -> Checkpoint
    {
        let path = scratch.path + "/\(UUID().uuidString).safetensors"
        let names = rows.keys.sorted()
        let slots = names.map { SafetensorsWriter.Slot(name: $0, dtype: dtype, shape: [rows[$0] ?? 0, 2]) }
        let writer = try SafetensorsWriter(path: path, slots: slots)
        for name in names {
            for row in 0..<(rows[name] ?? 0) {
                let value = first + Float(row)
                for _ in 0..<2 {
                    switch dtype {
                    case .bf16: try withUnsafeBytes(of: UInt16(value.bitPattern >> 16)) { try writer.append($0) }
                    case .f16: try withUnsafeBytes(of: Float16(value)) { try writer.append($0) }
                    case .f64: try withUnsafeBytes(of: Double(value)) { try writer.append($0) }
                    default: try withUnsafeBytes(of: value) { try writer.append($0) }
                    }
                }
            }
        }
        _ = try writer.finish()
        return Checkpoint(try SafetensorsFile(file: ReadableFile(path: path)), name: "model.safetensors")
    }

    private func rows(_ name: String, of checkpoint: Checkpoint) throws -> [Float] {
        let entry = try #require(checkpoint.entry(name))
        var values = [Float](repeating: -1, count: entry.elementCount)
        // In pieces that begin and end anywhere.
        let size = entry.dtype.byteCount
        for start in stride(from: 0, to: entry.elementCount, by: 3) {
            let count = min(3, entry.elementCount - start)
            var bytes = [UInt8](repeating: 0, count: count * size)
            try bytes.withUnsafeMutableBytes { try checkpoint.read(name, at: Int64(start * size), into: $0) }
            for place in 0..<count {
                bytes.withUnsafeBytes { bytes in
                    values[start + place] =
                        entry.dtype == .f64
                        ? Float(bytes.loadUnaligned(fromByteOffset: place * 8, as: Double.self))
                        : bytes.loadUnaligned(fromByteOffset: place * 4, as: Float.self)
                }
            }
        }
        return stride(from: 0, to: values.count, by: 2).map { values[$0] }
    }

    @Test(arguments: [(SafetensorsDType.f32, SafetensorsDType.f32), (.bf16, .f32), (.f16, .bf16), (.f64, .f32)])
    func takesRowsBeyondFromTheBase(_ own: SafetensorsDType, _ other: SafetensorsDType) throws {
        let base = try checkpoint(["embed_tokens.weight": 8, "lm_head.weight": 8], other)
        let task = try checkpoint(["embed_tokens.weight": 5, "lm_head.weight": 5], own, from: 100).fitted(to: base)
        #expect(task.entry("lm_head.weight")?.shape == [8, 2])
        #expect(try rows("lm_head.weight", of: task) == [100, 101, 102, 103, 104, 5, 6, 7])
        #expect(task.vocabularyRows?.own == 5 && task.vocabularyRows?.base == 8)
        #expect(!task.isStored("embed_tokens.weight"))
    }

    @Test func leavesOutPadding() throws {
        let base = try checkpoint(["embed_tokens.weight": 5])
        let task = try checkpoint(["embed_tokens.weight": 8], from: 100).fitted(to: base)
        #expect(try rows("embed_tokens.weight", of: task) == [100, 101, 102, 103, 104])
    }

    @Test(arguments: [
        (["embed_tokens.weight": 9], ["embed_tokens.weight": 8]), (["wpe.weight": 8], ["wpe.weight": 16]),
        (["embed_tokens.weight": 7, "lm_head.weight": 8], ["embed_tokens.weight": 8, "lm_head.weight": 8]),
        (["embed_tokens.weight": 600], ["embed_tokens.weight": 8]),
        (["embed_tokens.weight": 16], ["embed_tokens.weight": 1400]),
        (["embed_positions.weight": 5], ["embed_positions.weight": 8]),
    ]) func keepsOtherShapes(_ own: [String: Int], _ other: [String: Int]) throws {
        let task = try checkpoint(own)
        let fitted = try task.fitted(to: checkpoint(other))
        for name in task.names { #expect(fitted.entry(name) == task.entry(name)) }
    }

    @Test func leavesHeadsOfTheTaskAlone() throws {
        let base = try checkpoint(["lm_head.weight": 8])
        let task = try checkpoint(["lm_head.weight": 5]).fitted(to: base, isNeeded: { _ in false })
        #expect(task.entry("lm_head.weight")?.shape == [5, 2])
    }

    /// What stands behind a tensor that was cut in its file is no part of it.
    @Test func comparesWhatWasCutInItsOwnRows() throws {
        let base = try checkpoint(["embed_tokens.weight": 8, "lm_head.weight": 8, "z.weight": 1])
        let cut = try checkpoint(["embed_tokens.weight": 5, "lm_head.weight": 5, "z.weight": 1]).fitted(to: base)
        #expect(try cut.untied(among: [["embed_tokens.weight", "lm_head.weight"]]) == nil)
        #expect(try cut.holdsSame("lm_head.weight", as: "lm_head.weight", of: base))
        let last = try checkpoint(["embed_tokens.weight": 5]).fitted(to: checkpoint(["embed_tokens.weight": 8]))
        #expect(try !last.isConstant("embed_tokens.weight"))
        let moved = try checkpoint(["embed_tokens.weight": 5, "lm_head.weight": 5], from: 1).fitted(to: base)
        #expect(try !moved.holdsSame("lm_head.weight", as: "lm_head.weight", of: base))
    }

    @Test func takesAPlaceholderForATiedName() throws {
        let base = try checkpoint(["embed_tokens.weight": 8])
        let tied = { (name: String) in name == "a" ? [name] : ["embed_tokens.weight", "lm_head.weight"] }
        let task = try checkpoint(["embed_tokens.weight": 8, "lm_head.weight": 0, "a": 0])
        #expect(task.fitted(to: base, tied: tied).names == ["a", "embed_tokens.weight"])
        #expect(task.fitted(to: base).names == ["a", "embed_tokens.weight", "lm_head.weight"])
    }

    @Test func readsNothingBeyondTheEnd() throws {
        let base = try checkpoint(["lm_head.weight": 8])
        let task = try checkpoint(["lm_head.weight": 5]).fitted(to: base)
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(throws: SafetensorsError.self) {
            try bytes.withUnsafeMutableBytes { try task.read("lm_head.weight", at: 60, into: $0) }
        }
    }

    @Test(arguments: [
        (61, 64, true), (128, 64, true), (65, 64, false), (0, 64, false), (64, 64, false), (151665, 151936, true),
    ])
    func tellsCutAndPadded(_ own: Int, _ base: Int, _ expected: Bool) {
        #expect(Checkpoint.isCutOrPadded(own, of: base) == expected)
    }
}
