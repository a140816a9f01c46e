import Files
import Foundation
import Safetensors

@testable import Adapters

/// A temporary folder with an adapter in it.
enum Folder {
    typealias Tensors = [(String, [Int])]

    static let plain: Tensors = [("first.lora_A.weight", [4, 6]), ("first.lora_B.weight", [37, 4])]
    private static let defaults: [String: String] = [
        "peft_type": "\"LORA\"", "r": "4", "lora_alpha": "8", "target_modules": "[\"first\"]",
    ]

    /// Tensors of ones, under PEFT's prefix, with a configuration that fits them.
    static func with<R>(
        _ tensors: Tensors = plain, dtype: SafetensorsDType = .f32, _ body: (String) throws -> R
    ) throws -> R {
        let isIA3 = tensors.contains { $0.0.hasSuffix("ia3_l") }
        let text = isIA3 ? "{\"peft_type\": \"IA3\"}" : configuration("")
        return try with(tensors, dtype: dtype, configuration: text, body)
    }

    /// A plain adapter with further settings, which come before the usual ones of the same key.
    static func with<R>(settings: String, _ body: (String) throws -> R) throws -> R {
        try with(plain, configuration: configuration(settings), body)
    }

    static func with<R>(configuration: String, _ body: (String) throws -> R) throws -> R {
        try with(plain, configuration: configuration, body)
    }

    private static func configuration(_ settings: String) -> String {
        let usual = defaults.filter { !settings.contains("\"\($0.key)\":") }.map { "\"\($0.key)\": \($0.value)" }
        return "{" + (usual + (settings.isEmpty ? [] : [settings])).joined(separator: ", ") + "}"
    }

    static func with<R>(
        _ tensors: Tensors, dtype: SafetensorsDType = .f32, configuration: String, _ body: (String) throws -> R
    ) throws -> R {
        let directory = NSTemporaryDirectory() + "/adapter-" + UUID().uuidString
        try Durable.createDirectories(directory)
        defer { try? Durable.remove(directory) }
        try Data(configuration.utf8).write(to: URL(filePath: directory + "/" + AdapterConfiguration.fileName))
        let slots = tensors.map { SafetensorsWriter.Slot(name: "base_model.model." + $0.0, dtype: dtype, shape: $0.1) }
        let writer = try SafetensorsWriter(path: directory + "/" + Adapter.weightsName, slots: slots)
        for (_, shape) in tensors {
            let ones = [Float](repeating: 1, count: shape.reduce(1, *))
            try ones.withUnsafeBytes { try writer.append($0) }
        }
        _ = try writer.finish()
        return try body(directory)
    }
}
