import Files
import Foundation
import Safetensors

/// A checkpoint of bfloat16 that is made of one block of numbers, again and again: large, but quickly written.
enum LargeModel {
    /// Tensors of so many MiB each.
    static let sizes = [40, 1, 20, 11]
    static var bytes: Int { sizes.reduce(0, +) << 20 }

    /// Writes `model.safetensors`; models with other seeds differ in the last bit of some elements.
    static func write(to folder: String, seed: UInt8) throws {
        try Durable.createDirectories(folder)
        let slots = sizes.enumerated().map { index, size in
            SafetensorsWriter.Slot(name: "layer.\(index).weight", dtype: .bf16, shape: [size << 9, 1 << 10])
        }
        // ±1 to 2: any lower byte will do.
        let block = (0..<1 << 20).map { (place: Int) -> UInt8 in
            let mixed = UInt64(place >> 1) &* 0x9E37_79B9_7F4A_7C15 >> 40
            guard place.isMultiple(of: 2) else { return mixed & 1 == 0 ? 0x3F : 0xBF }
            return UInt8(truncatingIfNeeded: mixed >> 1) | 0x80 ^ (UInt8(truncatingIfNeeded: mixed >> 9) & seed)
        }
        let writer = try SafetensorsWriter(path: folder + "/model.safetensors", slots: slots)
        for _ in 0..<sizes.reduce(0, +) { try block.withUnsafeBytes { try writer.append($0) } }
        _ = try writer.finish()
    }
}
