import Files
import Foundation
import Safetensors
import Torch

@testable import Merging

/// A folder of the fixture's, copied so that a test may change its tensors.
struct ModelFolder {
    struct Content {
        var dtype: SafetensorsDType
        var shape: [Int]
        var bytes: [UInt8]

        init(_ dtype: SafetensorsDType, _ shape: [Int], _ bytes: [UInt8]) {
            self.dtype = dtype
            self.shape = shape
            self.bytes = bytes
        }

        /// Float32 or any other type whose elements lie in memory as Swift's do.
        init<Element: BitwiseCopyable>(_ values: [Element], _ dtype: SafetensorsDType, shape: [Int]? = nil) {
            self.init(dtype, shape ?? [values.count], values.withUnsafeBytes { Array($0) })
        }

        func values<Element: BitwiseCopyable>(_ type: Element.Type) -> [Element] {
            bytes.withUnsafeBytes { bytes in
                stride(from: 0, to: bytes.count, by: MemoryLayout<Element>.size).map {
                    bytes.loadUnaligned(fromByteOffset: $0, as: type)
                }
            }
        }
    }

    let path: String

    /// A copy of `source` at `path`.
    init(_ source: String, copiedTo path: String) throws {
        try FileManager.default.copyItem(atPath: source, toPath: path)
        self.path = path
    }

    /// A folder that is there.
    init(at path: String) { self.path = path }

    /// A new folder at `path`.
    init(newAt path: String) throws {
        try Durable.createDirectories(path)
        self.path = path
    }

    func tensors(_ file: String = "model.safetensors") throws -> [String: Content] {
        let file = try SafetensorsFile(file: ReadableFile(path: "\(path)/\(file)"))
        var tensors: [String: Content] = [:]
        for entry in file.entries {
            var bytes = [UInt8](repeating: 0, count: entry.bytes.count)
            try bytes.withUnsafeMutableBytes { try file.read(entry, into: $0) }
            tensors[entry.name] = Content(entry.dtype, entry.shape, bytes)
        }
        return tensors
    }

    /// Writes a file anew, in the order of the names.
    func write(_ tensors: [String: Content], to file: String = "model.safetensors") throws {
        try Durable.remove("\(path)/\(file)")
        let sorted = tensors.sorted { $0.key < $1.key }
        let writer = try SafetensorsWriter(
            path: "\(path)/\(file)",
            slots: sorted.map { .init(name: $0.key, dtype: $0.value.dtype, shape: $0.value.shape) })
        for (_, content) in sorted { try content.bytes.withUnsafeBytes { try writer.append($0) } }
        _ = try writer.finish()
    }

    func change(_ file: String = "model.safetensors", _ body: (inout [String: Content]) throws -> Void) throws {
        var tensors = try tensors(file)
        try body(&tensors)
        try write(tensors, to: file)
    }
}
