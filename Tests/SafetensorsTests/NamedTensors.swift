import Files
import Foundation

@testable import Safetensors

/// A checkpoint of one-element tensors with these names, each of which holds its place among them.
func checkpoint(_ names: [String], dtype: SafetensorsDType = .f32) throws -> Checkpoint {
    let path = NSTemporaryDirectory() + "/fitting-\(UUID().uuidString).safetensors"
    defer { try? Durable.remove(path) }
    let slots = names.map { SafetensorsWriter.Slot(name: $0, dtype: dtype, shape: [1]) }
    let writer = try SafetensorsWriter(path: path, slots: slots)
    for place in names.indices {
        try withUnsafeBytes(of: Float(place)) { try writer.append($0) }
    }
    _ = try writer.finish()
    return Checkpoint(try SafetensorsFile(file: ReadableFile(path: path)), name: "model.safetensors")
}

/// The one element of a tensor.
func value(_ name: String, in checkpoint: Checkpoint) throws -> Float {
    var value: Float = -1
    try withUnsafeMutableBytes(of: &value) { try checkpoint.read(name, into: $0) }
    return value
}
