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
                "`\(name.printable)` is there because the weights are quantised, and only floating point can be merged; load "
                + "the model in bf16, or dequantise it (`model.dequantize()`), and save that, or of a QLoRA drop the adapter"
        )
    }
}
