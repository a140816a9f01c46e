import Foundation
import Safetensors

/// A folder of one test, removed with its last reference.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "safetensors-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a safetensors file from its header and data; `length` overrides the true length of the header.
    @discardableResult
    func write(_ name: String = "model.safetensors", header: String, data: Int = 0, length: UInt64? = nil) throws
        -> String
    {
        try write(name, header: Array(header.utf8), data: data, length: length)
    }

    @discardableResult
    func write(_ name: String, header: [UInt8], data: Int, length: UInt64? = nil) throws -> String {
        let length = length ?? UInt64(header.count)
        var bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header
        bytes += (0..<data).map { UInt8(truncatingIfNeeded: $0) }
        return try write(name, bytes: bytes)
    }

    @discardableResult
    func write(_ name: String, bytes: [UInt8]) throws -> String {
        let target = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: target))
        return target
    }

    /// One float tensor of `count` elements for a header.
    static func tensor(_ name: String, from begin: Int, count: Int) -> String {
        "\"\(name)\":{\"dtype\":\"F32\",\"shape\":[\(count)],\"data_offsets\":[\(begin),\(begin + 4 * count)]}"
    }
}
