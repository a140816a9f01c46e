import Adapters
import Files
import WorkerProtocol

/// What may lie in the registry under which name.
package enum UploadRules {
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

    /// Names that people give to `task.yaml`, in lower case.
    private static let nearSettings: Set = [
        "task.yml", "task.yaml", "tasks.yaml", "tasks.yml", "task.json", "task.toml", "task_config.yaml",
        "task-settings.yaml", "settings.yaml",
    ]
    /// Names that people give to `validation.safetensors`, in lower case.
    private static let nearExamples: Set = [
        "validation.safetensors", "validation.safetensor", "validations.safetensors", "valid.safetensors",
        "val.safetensors", "dev.safetensors", "eval.safetensors", "test.safetensors", "examples.safetensors",
    ]
    private static let pickles: Set = ["pkl", "pickle", "pt", "pth", "bin", "ckpt", "joblib", "dill", "npy", "npz"]
    /// What transformers' Trainer leaves beside a model.
    private static let ofTrainer: Set = [
        "optimizer.bin", "optimizer.pt", "rng_state.pth", "scaler.pt", "scheduler.bin", "scheduler.pt",
        "training_args.bin",
    ]
    private static let archives: Set = [
        "zip", "tar", "tgz", "gz", "bz2", "xz", "zst", "7z", "rar", "lz4", "pt2", "mar", "whl",
    ]
    private static let programs: Set = ["py", "pyc", "pyo", "so", "sh", "dll", "dylib"]

    /// Why a file of this name makes its drop one that is refused; nil where it does not.
    static func objection(to name: String, inBase: Bool) -> AdmissionFault? {
        if inBase && BaseFiles.isPassedOn(name) { return nil }
        let shown = "`\(name.printable)`"
        let lower = name.lowercased()
        let parts = lower.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let ending = parts.dropFirst().last.map { String(Substring($0)) } ?? ""
        if pickles.contains(ending) {
            let isTrainers = ofTrainer.contains(lower) || lower.utf8.starts(with: "rng_state_".utf8)
            let advice =
                isTrainers
                ? "it is the Trainer's own and no part of the model: remove it" : "save as safetensors and remove it"
            return .refused(
                code: "pickle", message: "\(shown) may hold a pickle, which can run code; \(advice)")
        }
        if archives.contains(ending) {
            return .refused(code: "archive", message: "\(shown) is an archive; unpack it and remove it")
        }
        if programs.contains(ending) {
            return .refused(code: "code", message: "\(shown) is code, which is never loaded from a registry; remove it")
        }
        if !inBase, name != TaskLayout.settings, nearSettings.contains(lower) {
            return .refused(
                code: "task-settings",
                message: "\(shown) would be ignored: a task's settings are in \(TaskLayout.settings); rename it")
        }
        if !inBase, name != TaskLayout.examples, nearExamples.contains(lower) {
            return .refused(
                code: "missing-validation",
                message: "\(shown) would be ignored: a task's examples are in \(TaskLayout.examples); rename it")
        }
        if lower.utf8.starts(with: "adapter_".utf8), inBase || !Adapter.fileNames.contains(name) {
            return .refused(
                code: "adapter-unsupported",
                message:
                    "\(shown) is no part of an adapter as PEFT saves it "
                    + "(\(Adapter.fileNames.joined(separator: ", "))) in a "
                    + "task's folder; remove it")
        }
        return nil
    }
}
