import Adapters
import Files
import WorkerProtocol

/// What may lie in the registry under which name.
package enum UploadRules {
    /// What `isTaskName` expects, for messages.
    package static let taskNameForm =
        "1 to 128 letters, digits, '.', '_' and '-', the first a letter or a digit"

    /// `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`
    package static func isTaskName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (1...128).contains(name.utf8.count) else { return false }
        let isAlphanumeric = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        return isAlphanumeric(first)
            && name.utf8.allSatisfy { isAlphanumeric($0) || Array("._-".utf8).contains($0) }
    }

    /// Temporaries of copying tools, and hidden files.
    package static func isIgnored(_ name: String) -> Bool {
        name.utf8.first == UInt8(ascii: ".") || [".tmp", ".part", ".incomplete"].contains { name.ends(in: $0) }
    }

    /// What people call `task.yaml`, by letters alone and without what stands behind the first point.
    private static let nearSettings: Set = ["task", "tasks", "taskconfig", "tasksetting", "tasksettings"]
    private static let endingsOfSettings: Set = [
        "yaml", "yml", "json", "toml", "ini", "cfg", "conf", "yaml.txt", "yml.txt",
    ]
    /// The same of a file of examples.
    private static let nearExamples: Set = [
        "validation", "validations", "validationset", "validate", "valid", "val", "dev", "devset", "eval", "evaluation",
        "test", "testset", "example", "examples", "heldout",
    ]
    private static let endingsOfExamples: Set = [
        "safetensors", "safetensor", "safetensors.safetensors", "st", "jsonl", "jsonlines", "ndjson", "csv", "tsv",
    ]

    /// A name in lower case, by its letters before the first point and what is behind that.
    private static func nearness(_ name: String) -> (letters: String, ending: String) {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0].filter(\.isLetter)), parts.count > 1 ? String(parts[1]) : "")
    }

    private static let pickles: Set = ["pkl", "pickle", "pt", "pth", "bin", "ckpt", "joblib", "dill", "npy", "npz"]
    /// What transformers' Trainer leaves beside a model.
    private static let ofTrainer: Set = [
        "optimizer.bin", "optimizer.pt", "rng_state.pth", "scaler.pt", "scheduler.bin", "scheduler.pt",
        "training_args.bin",
    ]
    private static let archives: Set = [
        "zip", "tar", "tgz", "gz", "bz2", "xz", "zst", "7z", "rar", "lz4", "pt2", "mar", "whl",
    ]
    /// Images that no reader here takes.
    private static let otherImages: Set = [
        "webp", "gif", "bmp", "tif", "tiff", "heic", "heif", "avif", "jp2", "jxl", "ppm",
    ]
    private static let programs: Set = ["py", "pyc", "pyo", "so", "sh", "dll", "dylib"]

    /// Why a file can be left behind without loss, though admission refuses it: the state of a training run, or a
    /// pickle of weights that are there as safetensors. Nil where it can't, or where admission takes it.
    ///
    /// `others`: the names in the same folder.
    package static func reasonToLeaveOut(_ name: String, among others: Set<String>) -> String? {
        guard objection(to: name, inBase: false) != nil else { return nil }
        let lower = name.lowercased()
        if isOfTrainer(lower) || lower == "zero_to_fp32.py" { return "the training run's own, no part of the model" }
        guard lower.ends(in: ".bin") else { return nil }
        let isPickledModel = lower.utf8.starts(with: "pytorch_model".utf8)
        let hasModel = others.contains(TaskLayout.weights) || others.contains(TaskLayout.weightsIndex)
        if isPickledModel && hasModel || lower == "adapter_model.bin" && others.contains(TaskLayout.adapterWeights) {
            return "a pickle of weights that are there as safetensors"
        }
        return nil
    }

    private static func isOfTrainer(_ lower: String) -> Bool {
        ofTrainer.contains(lower) || lower.utf8.starts(with: "rng_state_".utf8)
    }

    /// Why a file of this name makes its upload one that is refused; nil where it does not.
    static func objection(to name: String, inBase: Bool) -> AdmissionFault? {
        if inBase && BaseFiles.isPassedOn(name) { return nil }
        let shown = "`\(name.printable)`"
        let lower = name.lowercased()
        let parts = lower.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let ending = parts.dropFirst().last.map { String(Substring($0)) } ?? ""
        if pickles.contains(ending) {
            let advice =
                isOfTrainer(lower)
                ? "it is the Trainer's own and no part of the model: remove it" : "save as safetensors and remove it"
            return .refused(
                code: "pickle", message: "\(shown) may hold a pickle, which can run code; \(advice)")
        }
        if archives.contains(ending) {
            return .refused(code: "archive", message: "\(shown) is an archive; unpack it and remove it")
        }
        if lower == "zero_to_fp32.py" {
            return .refused(
                code: "code",
                message:
                    "\(shown) belongs to a sharded checkpoint of DeepSpeed; without \(TaskLayout.weights) make it with "
                    + "`python zero_to_fp32.py . OUT --safe_serialization` and upload that, else remove the script")
        }
        if programs.contains(ending) {
            return .refused(code: "code", message: "\(shown) is code, which is never loaded from a registry; remove it")
        }
        let isBesideImages = !inBase && name.pathNames.first.map(ExampleFiles.isImageFolder) == true
        if isBesideImages, name.contains("/"), otherImages.contains(ending) {
            return .refused(
                code: "unsupported-image", message: "\(shown) would not be read; convert it to PNG or JPEG")
        }
        if !inBase, ending == "parquet" {
            return .refused(
                code: "missing-validation",
                message:
                    "\(shown) is Parquet, which is not read; convert it, with `duckdb -c \"COPY (FROM "
                    + "'\(name.printable)') TO 'validation.jsonl' (FORMAT json)\"` or pandas' "
                    + "`to_json(orient=\"records\", lines=True)`, and remove it")
        }
        let (letters, rest) = nearness(lower)
        if !inBase, name != TaskLayout.settings, nearSettings.contains(letters), endingsOfSettings.contains(rest) {
            return .refused(
                code: "task-settings",
                message: "\(shown) would be ignored: a task's settings are in \(TaskLayout.settings); rename it")
        }
        if !inBase, !ExampleFiles.all.contains(name), nearExamples.contains(letters), endingsOfExamples.contains(rest) {
            return .refused(
                code: "missing-validation",
                message:
                    "\(shown) would be ignored: a task's examples are in \(ExampleFiles.all.joined(separator: ", ")); "
                    + "rename it")
        }
        if lower.utf8.starts(with: "adapter_".utf8), inBase || !Adapter.fileNames.contains(name) {
            return .refused(
                code: "adapter-unsupported",
                message:
                    "\(shown) is no part of an adapter as PEFT saves it "
                    + "(\(Adapter.fileNames.joined(separator: ", "))) in a task's folder; remove it")
        }
        return nil
    }
}
