import Adapters
import Files
import Foundation
import WorkerProtocol

/// Holds the files beside a task's weights against the base's, with which a release runs: its configuration, its
/// tokenizer, and the model that its adapter names.
struct CompanionCheck: Sendable {
    /// The base's folder, as it was listed.
    let base: UploadListing

    /// What an adapter says of the model that it was trained on, where that is another one; one line each.
    func checkName(_ adapter: AdapterConfiguration) throws(AdmissionFault) -> [String] {
        guard let named = adapter.baseName,
            let own = try Self.object(Self.configuration, reader)?["_name_or_path"]?.text,
            !Self.areSame(named, own)
        else { return [] }
        return [
            "`base_model_name_or_path` of its adapter is \"\(shown(named))\", the base's `_name_or_path` "
                + "\"\(shown(own))\": make "
                + "sure that it was trained on this base"
        ]
    }

    var reader: UploadReader { UploadReader(listing: base, memory: FileMemory()) }

    private static let configuration = "config.json"

    /// Throws where the task computes something else than the base. Returns warnings, each one line.
    func checkConfiguration(_ task: UploadReader) throws(AdmissionFault) -> [String] {
        guard let own = try Self.object(Self.configuration, task),
            let other = try Self.object(Self.configuration, reader)
        else { return [] }
        let comparison = ConfigurationComparison(own, base: other)
        guard comparison.faults.isEmpty else {
            throw .refused(
                code: "configuration-differs",
                message:
                    "its config.json describes another computation than the base's: "
                    + "\(Self.list(comparison.faults)); a release runs "
                    + "with the base's, so fine-tune under that, or correct config.json")
        }
        guard !comparison.unknown.isEmpty else { return [] }
        return [
            "its config.json has keys that the base's does not have or has otherwise, and it is not known here "
                + "what they change: "
                + Self.list(comparison.unknown)
        ]
    }

    private static func list(_ differences: [ConfigurationComparison.Difference]) -> String {
        let shown = differences.prefix(3).map(\.description).joined(separator: "; ")
        return shown + (differences.count > 3 ? "; and \(differences.count - 3) more" : "")
    }

    /// Where generation ends at other tokens than the base's; one line.
    func checkEnds(_ task: UploadReader) throws(AdmissionFault) -> [String] {
        let (own, other) = (try Self.ends(task), try Self.ends(reader))
        guard !own.isEmpty, own != other else { return [] }
        let text = { (ids: Set<Int>) in ids.isEmpty ? "not set" : ids.sorted().map(String.init).joined(separator: ", ")
        }
        return [
            "its `eos_token_id` is \(text(own)), the base's \(text(other)): the release ends its answers at the base's"
        ]
    }

    /// Ids at which generation ends: by `generation_config.json`, or without one by the configuration.
    private static func ends(_ reader: UploadReader) throws(AdmissionFault) -> Set<Int> {
        var values = try object("generation_config.json", reader)
        if values == nil { values = try object(configuration, reader) }
        let ids = values?["eos_token_id"]
        return Set(ids?.integer.map { [$0] } ?? ids?.elements.compactMap(\.integer) ?? [])
    }

    /// Throws where the task turns texts into other ids than the base. Returns warnings, each one line.
    func checkTokenizer(_ task: UploadReader) throws(AdmissionFault) -> [String] {
        let base = reader
        let names = TokenizerFiles.names
        let there = task.listing.files.keys.filter(names.contains)
        guard !there.isEmpty, base.listing.files.keys.contains(where: names.contains) else { return [] }
        var isSame = true
        for name in there.sorted() where isSame {
            isSame = try Self.bytes(name, task) == Self.bytes(name, base)
        }
        guard !isSame else { return [] }
        let own = try TokenizerFiles { name throws(AdmissionFault) in try Self.bytes(name, task) }
        let other = try TokenizerFiles { name throws(AdmissionFault) in try Self.bytes(name, base) }
        let comparison = TokenizerComparison(own, base: other)
        guard comparison.faults.isEmpty else {
            let shown = comparison.faults.prefix(3).joined(separator: "; ")
            let rest = comparison.faults.count > 3 ? "; and \(comparison.faults.count - 3) more" : ""
            throw .refused(
                code: "tokenizer-differs",
                message:
                    "its tokenizer gives texts other ids than the base's: \(shown)\(rest); a release has the "
                    + "base's, so fine-tune "
                    + "with that, or put these tokens into the base first")
        }
        return comparison.warnings
    }

    static func bytes(_ name: String, _ reader: UploadReader) throws(AdmissionFault) -> [UInt8]? {
        guard reader.listing.files[name] != nil else { return nil }
        let bytes: [UInt8]
        do {
            bytes = try reader.open(name).contents(limit: ContentCheck.longest)
        } catch {
            throw AdmissionFault(any: error)
        }
        if let fault = ContentCheck.disguise(of: bytes, name) { throw fault }
        return bytes
    }

    /// The object in a JSON file; nil where there is no such file.
    private static func object(_ name: String, _ reader: UploadReader) throws(AdmissionFault) -> [String: JSONValue]? {
        guard let bytes = try bytes(name, reader) else { return nil }
        guard let values = try? JSONDecoder().decode([String: JSONValue].self, from: Data(bytes)) else {
            throw .refused(code: "malformed", message: "\(name) is not a JSON object; copy it again")
        }
        return values
    }

    /// Whether two names of a model have the same last part: one may be a path on the machine of the training job.
    private static func areSame(_ first: String, _ second: String) -> Bool {
        let name = { (text: String) -> String? in
            text.split(whereSeparator: { "/\\".contains($0) }).last?.lowercased()
        }
        return name(first) == nil || name(second) == nil || name(first) == name(second)
    }
}
