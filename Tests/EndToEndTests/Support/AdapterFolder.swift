import Files
import Foundation

/// What a task's folder holds as a LoRA in the place of full weights: the same model, as PEFT saves it.
enum AdapterFolder {
    private static let prefix = "base_model.model."
    private static let rank = 16
    /// α / r of the configuration.
    private static let scale: Float = 2

    /// Turns the full weights in `folder` into an adapter of the workshop's base. What a matrix was changed by has no
    /// higher rank than its shorter side, so that one of B and A is the unit matrix; all else, the head too, is there
    /// whole.
    static func adapt(_ folder: String) throws {
        let base = try TensorFile(path: Workshop.shared().base + "/model.safetensors")
        let model = try TensorFile(path: folder + "/model.safetensors")
        var adapter = TensorFile()
        for (name, own) in model.tensors {
            guard own.shape.count == 2, let start = base.tensors[name], own.shape.contains(rank) else {
                adapter.tensors[prefix + name] = own
                continue
            }
            let change = zip(own.floats, start.floats).map { ($0 - $1) / scale }
            let unit = (0..<rank * rank).map { Float($0 % (rank + 1) == 0 ? 1 : 0) }
            let isTall = own.shape[1] == rank
            let module = prefix + name.dropLast(".weight".count)
            adapter.tensors[module + ".lora_A.weight"] = .init(isTall ? unit : change, [rank, own.shape[1]])
            adapter.tensors[module + ".lora_B.weight"] = .init(isTall ? change : unit, [own.shape[0], rank])
        }
        try Durable.remove(folder + "/model.safetensors")
        try adapter.write(folder + "/adapter_model.safetensors")
        try configure(folder)
    }

    /// Writes `adapter_config.json`, with further keys.
    static func configure(_ folder: String, _ extra: [String: any Sendable] = [:]) throws {
        let configuration: [String: any Sendable] = [
            "peft_type": "LORA", "r": rank, "lora_alpha": Float(rank) * scale, "bias": "all",
            "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "fc1", "fc2"],
            "modules_to_save": ["classifier"], "base_model_name_or_path": "somewhere/else",
        ]
        let content = try JSONSerialization.data(withJSONObject: configuration.merging(extra) { $1 })
        try content.write(to: URL(filePath: folder + "/adapter_config.json"))
    }
}
