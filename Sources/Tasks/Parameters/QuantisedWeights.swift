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
                + "merged; load "
                + "the model in bf16, or dequantise it (`model.dequantize()`), and save that, or of a QLoRA drop the "
                + "adapter"
        )
    }

    /// Keys of a configuration by which loaders quantise weights, or take them for quantised.
    private static let keys = ["quantization_config", "compression_config"]
    /// Objects of a configuration that describe one of several models.
    private static let parts = ["text_config", "vision_config", "audio_config", "encoder", "decoder", "llm_config"]

    /// Throws where a base's configuration says that its weights, which are of floating point, are quantised: whoever
    /// loads a release would quantise it, or refuse it.
    static func check(configuration bytes: [UInt8]) throws(AdmissionFault) {
        guard let root = try? JSONValue.members(parsing: bytes, .python) else { return }
        let objects: [(String, [String: JSONValue])] =
            [("", root)]
            + parts.compactMap { part in
                if case .object(let object)? = root[part] { ("\(part).", object) } else { nil }
            }
        for (scope, object) in objects {
            guard let key = keys.first(where: { object[$0].map { !$0.isOff } ?? false }) else { continue }
            var method = ""
            if case .object(let settings)? = object[key], case .string(let name)? = settings["quant_method"] {
                method = " (\(shown(name)))"
            }
            throw .refused(
                code: "not-what-it-claims",
                message:
                    "config.json has `\(scope)\(key)`\(method), but the weights are not quantised, so that servers "
                    + "would "
                    + "quantise or refuse every release; remove the key")
        }
    }
}
