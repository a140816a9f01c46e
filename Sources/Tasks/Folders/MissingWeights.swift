import Files
import Glibc

/// What a folder without weights of its own holds instead, so that a refusal can name the format and the remedy.
package enum MissingWeights {
    private static let mostFolders = 256
    private static let deepest = 5

    /// Why a folder at `path` with these files has no weights.
    static func fault(_ path: String, _ files: some Collection<String>) -> AdmissionFault {
        if let nested = nestedFault(path) { return nested }
        let names = files.sorted()
        if let message = names.lazy.compactMap({ otherFormat($0, names) }).first {
            return .refused(code: "missing-weights", message: message)
        }
        let held = names.isEmpty ? "it holds no file" : "it holds \(names.firstFew)"
        return .refused(
            code: "missing-weights",
            message:
                "no \(TaskLayout.weights) and no \(TaskLayout.weightsIndex), \(held); put the model's weights there"
        )
    }

    /// What a folder below `path` holds that the folder itself should: a checkpoint, an adapter, or a checkpoint in
    /// another form. Nil where there is none.
    package static func nestedFault(_ path: String) -> AdmissionFault? {
        var other: AdmissionFault?
        var queue = [(name: "", depth: 0)]
        var seen = 0
        while !queue.isEmpty {
            let (name, depth) = queue.removeFirst()
            let folder = name.isEmpty ? path : "\(path)/\(name)"
            guard let names = try? Durable.list(folder) else { continue }
            if depth > 0, TaskLayout.holdsWeights(names) { return .nested(name) }
            if depth > 0, other == nil, let message = shardedForm(names, in: name) {
                other = .refused(code: "nested-checkpoint", message: message)
            }
            guard depth < deepest else { continue }
            for child in names.sorted(by: isLater) where child.utf8.first != UInt8(ascii: ".") {
                guard (try? FileStatus(path: "\(folder)/\(child)"))?.kind == .directory else { continue }
                seen += 1
                if seen > mostFolders { return other }
                queue.append((name.isEmpty ? child : "\(name)/\(child)", depth + 1))
            }
        }
        return other
    }

    /// What to say of a subfolder whose files are weights that no loader of transformers reads as they are; nil for any
    /// other folder.
    private static func shardedForm(_ names: [String], in folder: String) -> String? {
        let place = "the subfolder `\(shown(folder))`"
        for name in names.sorted() {
            if name.ends(in: ".distcp") {
                return "\(place) is a sharded checkpoint of torch.distributed, as FSDP saves; make weights of it with "
                    + "`accelerate merge-weights`, save the model with save_pretrained, and upload that"
            }
            if name.ends(in: "_model_states.pt") || name.ends(in: "_optim_states.pt") {
                return
                    "\(place) is a sharded checkpoint of DeepSpeed; make weights of it with `python zero_to_fp32.py . "
                    + "OUT --safe_serialization` and upload OUT with the configuration"
            }
            if name == "model_optim_rng.pt" {
                return "\(place) is a checkpoint of Megatron; convert it to one of transformers and upload that"
            }
            if name.hasPrefix("pytorch_model") && name.ends(in: ".bin") || name == "adapter_model.bin" {
                return "\(place) holds `\(shown(name))`, a pickle; save the model with save_pretrained, which writes "
                    + "safetensors, and upload that folder's content"
            }
            if let message = otherFormat(name, names), !name.ends(in: ".safetensors") { return "\(place): \(message)" }
        }
        return nil
    }

    /// Of `checkpoint-500` and `checkpoint-1000` the later one comes first.
    private static func isLater(_ name: String, _ other: String) -> Bool {
        let steps = [name, other].map { Int($0.split(separator: "-").last.map(String.init) ?? "") ?? -1 }
        return steps[0] == steps[1] ? name < other : steps[0] > steps[1]
    }

    /// What to say of a file that holds weights in another form than transformers and PEFT save; nil for any other
    /// file.
    static func otherFormat(_ name: String, _ names: [String]) -> String? {
        let shown = "`\(shown(name))`"
        if name == "adapters.safetensors" {
            return
                "\(shown) is an adapter of mlx-lm; fuse it (`mlx_lm.fuse --de-quantize`) and upload the fused model, "
                + "or train with PEFT"
        }
        if name.hasPrefix("consolidated") {
            return "\(shown) is in the form of Mistral or Meta; convert it with the convert_*_weights_to_hf script of "
                + "transformers, or download the repository's \(TaskLayout.weights)"
        }
        if name == "pytorch_lora_weights.safetensors" || name.hasPrefix("diffusion_pytorch_model") {
            return "\(shown) is of diffusers; only models of transformers and adapters of PEFT can be merged"
        }
        if name.contains(/^model(-[0-9]+-of-[0-9]+)?\.[A-Za-z0-9_-]+(-[0-9]+-of-[0-9]+)?\.safetensors$/) {
            return
                "\(shown) is a variant; load it with `variant=` and save it without, or rename its files to those "
                + "without the variant's name"
        }
        if name.contains(/^model-[0-9]+-of-[0-9]+\.safetensors$/) {
            return name.contains(/-of-0*1\./)
                ? "\(shown) is the only shard and has no index; rename it to \(TaskLayout.weights)"
                : "\(shown) is a shard without \(TaskLayout.weightsIndex); copy the index and all shards"
        }
        let endings = [
            (".gguf", "of llama.cpp"), (".ggml", "of llama.cpp"), (".h5", "of Keras"), (".msgpack", "of Flax"),
            (".distcp", "of torch.distributed"), (".nemo", "of NeMo"), (".onnx", "of ONNX"),
            (".tflite", "of TensorFlow Lite"), (".ot", "of Rust"), (".mlmodel", "of Core ML"),
        ]
        if let (_, format) = endings.first(where: { name.ends(in: $0.0) }) {
            return "\(shown) is in the form \(format); save the model with save_pretrained of transformers"
        }
        if name.ends(in: ".safetensors"), name != TaskLayout.examples, name != TaskLayout.adapterWeights {
            return
                "\(shown) is not a name under which transformers saves weights; rename it to \(TaskLayout.weights), or "
                + "to \(TaskLayout.adapterWeights) with its \(TaskLayout.adapterConfiguration)"
        }
        return nil
    }
}

extension AdmissionFault {
    /// The checkpoint lies in a folder below, relative to the upload.
    package static func nested(_ folder: String) -> AdmissionFault {
        .refused(
            code: "nested-checkpoint",
            message:
                "the checkpoint is in the subfolder `\(shown(folder))`, and only files of the folder itself are read; "
                + "upload that subfolder's content instead")
    }
}
