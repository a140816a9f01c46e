import Files
import Foundation
import Safetensors

/// Weights that a library has quantised: integers, and beside them what turns these back into numbers.
enum QuantisedWeights {
    /// Of bitsandbytes in 8 and in 4 bits, of GPTQ and of AWQ.
    private static let signs = [".SCB", ".weight_format", ".absmax", ".quant_map", ".qweight", ".qzeros"]

    /// Throws where a name tells such weights: what is there would not be found, or taken for a head.
    static func check(_ checkpoint: Checkpoint) throws(AdmissionFault) {
        guard let name = checkpoint.names.first(where: { name in signs.contains { name.hasSuffix($0) } }) else {
            return
        }
        throw .refused(
            code: "wrong-dtype",
            message:
                "`\(name.printable)` is there because the weights are quantised, and only floating point can be "
                + "merged; load the model in bf16, or dequantise it (`model.dequantize()`), and save that, or of a "
                + "QLoRA upload the adapter"
        )
    }

    /// Keys of a configuration by which loaders quantise weights, or take them for quantised: of transformers, of
    /// compressed-tensors, of mlx-lm, of older libraries, and of ChatGLM.
    private static let keys = [
        "quantization_config", "compression_config", "quantization", "quant_config", "quantize_config", "awq_config",
        "gptq_config", "bnb_config", "hqq_config", "fp8_config", "quant_method", "load_in_4bit", "load_in_8bit",
        "_load_in_4bit", "_load_in_8bit", "quantization_bit",
    ]
    /// Keys that name the type in which loaders put the weights.
    private static let types = ["dtype", "torch_dtype"]

    /// Throws where a base's configuration says at any depth that its weights, which are of floating point, are
    /// quantised: whoever loads a release would quantise it, or refuse it.
    static func check(configuration bytes: [UInt8]) throws(AdmissionFault) {
        guard let root = try? JSONValue.members(parsing: bytes, .python) else { return }
        try check(root, scope: "")
    }

    private static func check(_ object: [String: JSONValue], scope: String) throws(AdmissionFault) {
        for key in keys {
            guard let value = object[key], !value.isOff, value.double != 0 else { continue }
            let method = value.members["quant_method"]?.text.map { " (\(shown($0)))" } ?? ""
            throw claim("`\(scope)\(key)`\(method)")
        }
        for key in types {
            guard let type = object[key]?.text, type.contains("int") || type.contains("float8") || type.contains("fp8")
            else { continue }
            throw claim("`\(scope)\(key)` \"\(shown(type))\"")
        }
        for (key, value) in object.sorted(by: { $0.key < $1.key }) {
            guard case .object(let part) = value else { continue }
            try check(part, scope: "\(scope)\(shown(key)).")
        }
    }

    private static func claim(_ what: String) -> AdmissionFault {
        .refused(
            code: "not-what-it-claims",
            message:
                "config.json has \(what), but the weights are not quantised, so that servers would quantise or refuse "
                + "every release; remove the key")
    }
}
