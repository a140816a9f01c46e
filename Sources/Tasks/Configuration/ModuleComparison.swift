import Files
import Foundation
import Safetensors
import WorkerProtocol

/// The modules that sentence-transformers puts behind a model (pooling, a dense layer), which a release has from the
/// base.
extension CompanionCheck {
    private static let modules = "modules.json"
    private static let prompts = "config_sentence_transformers.json"

    /// Throws where a task's modules are not the base's: their weights lie in subfolders and are not merged.
    func checkModules(_ task: UploadReader) throws(AdmissionFault) -> [String] {
        for name in task.listing.files.keys.sorted() where name == Self.modules || name.contains("/") {
            guard BaseFiles.isPassedOn(name), !name.hasPrefix(BaseFiles.templates) else { continue }
            if name.hasSuffix(".safetensors") {
                try checkWeights(name, task)
            } else if let own = try Self.value(name, task), let other = try Self.value(name, reader),
                !Self.areSame(own, other, isList: name == Self.modules)
            {
                throw .refused(
                    code: "configuration-differs",
                    message:
                        "its \(name) is another one than the base's, which a release has; fine-tune with the base's "
                        + "modules"
                )
            }
        }
        let settings = "sentence_bert_config.json"
        if let own = try Self.value(settings, task)?.members["do_lower_case"],
            let other = try Self.value(settings, reader)?.members["do_lower_case"], own != other
        {
            throw .refused(
                code: "tokenizer-differs",
                message:
                    "`do_lower_case` of its \(settings) is \(own.phrase), the base's \(other.phrase), so that texts "
                    + "get other ids; a release has the base's, so fine-tune with that")
        }
        guard let own = try Self.value(Self.prompts, task)?.members["prompts"], !own.isOff,
            own != (try Self.value(Self.prompts, reader))?.members["prompts"]
        else { return [] }
        return ["its prompts in \(Self.prompts) are others than the base's, which the release has"]
    }

    private static func areSame(_ own: JSONValue, _ other: JSONValue, isList: Bool) -> Bool {
        isList
            ? ModuleSettings(modules: own) == ModuleSettings(modules: other)
            : ModuleSettings(own) == ModuleSettings(other)
    }

    private func checkWeights(_ name: String, _ task: UploadReader) throws(AdmissionFault) {
        do {
            let own = try SafetensorsFile(file: task.open(name))
            guard reader.listing.files[name] != nil else {
                throw AdmissionFault.refused(
                    code: "extra-parameter",
                    message:
                        "\(name) holds weights that the base lacks, and weights in subfolders are not merged; remove "
                        + "it, or put it into the base")
            }
            let other = try SafetensorsFile(file: reader.open(name))
            let isSame =
                try own.entries.count == other.entries.count
                && own.entries.allSatisfy { entry in
                    guard let second = other.entry(entry.name), second.dtype == entry.dtype, second.shape == entry.shape
                    else { return false }
                    return try own.holdsSame(entry, second, of: other)
                }
            guard !isSame else { return }
        } catch {
            throw AdmissionFault(any: error)
        }
        throw .refused(
            code: "extra-parameter",
            message:
                "\(name) holds other weights than the base's, and weights in subfolders are not merged; keep that "
                + "module as the base has it when you fine-tune")
    }

    private static func value(_ name: String, _ reader: UploadReader) throws(AdmissionFault) -> JSONValue? {
        guard let bytes = try bytes(name, reader) else { return nil }
        return try JSONValue(upload: bytes, called: name)
    }
}
