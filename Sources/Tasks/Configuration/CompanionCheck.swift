import Files
import Foundation
import WorkerProtocol

/// Holds the files beside a task's weights against the base's, with which a release runs: its configuration, its
/// tokenizer, and the model that its adapter names.
struct CompanionCheck: Sendable {
    /// Reads the base's folder, as it was listed.
    let reader: UploadReader

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
                    "its config.json describes another computation than the base's: \(Self.list(comparison.faults)); a "
                    + "release runs with the base's, so fine-tune under that, or correct config.json")
        }
        guard !comparison.unknown.isEmpty else { return [] }
        return [
            "its config.json has keys that the base's does not have or has otherwise, and it is not known here what "
                + "they change: "
                + Self.list(comparison.unknown)
        ]
    }

    private static func list(_ differences: [ConfigurationComparison.Difference]) -> String {
        let shown = differences.prefix(3).map(\.description).joined(separator: "; ")
        return shown + (differences.count > 3 ? "; and \(differences.count - 3) more" : "")
    }

    /// Keys that say where generation begins and ends, with what a release does.
    private static let bounds = [
        ("eos_token_id", "ends its answers at"), ("decoder_start_token_id", "starts its answers with"),
        ("forced_bos_token_id", "starts its answers with"), ("forced_eos_token_id", "ends its answers with"),
    ]

    /// Where generation begins or ends at other tokens than the base's; a line for each.
    func checkEnds(_ task: UploadReader) throws(AdmissionFault) -> [String] {
        let text = { (ids: Set<Int>) in ids.isEmpty ? "not set" : ids.sorted().map(String.init).joined(separator: ", ")
        }
        var warnings: [String] = []
        for (key, what) in Self.bounds {
            let (own, other) = (try Self.ids(key, task), try Self.ids(key, reader))
            guard !own.isEmpty, own != other else { continue }
            warnings.append("its `\(key)` is \(text(own)), the base's \(text(other)): the release \(what) the base's")
        }
        return warnings
    }

    /// Ids by `generation_config.json`, or where that says nothing by the configuration.
    private static func ids(_ key: String, _ reader: UploadReader) throws(AdmissionFault) -> Set<Int> {
        for name in ["generation_config.json", configuration] {
            guard let ids = try object(name, reader)?[key], ids != .null else { continue }
            return Set(ids.integer.map { [$0] } ?? ids.elements.compactMap(\.integer))
        }
        return []
    }

    /// Throws where the task turns texts into other ids than the base. Returns warnings, each one line.
    func checkTokenizer(_ task: UploadReader) throws(AdmissionFault) -> [String] {
        let base = reader
        let names = TokenizerFiles.names
        let there = task.listing.files.keys.filter(names.contains)
        guard !there.isEmpty else { return [] }
        guard base.listing.files.keys.contains(where: names.contains) else {
            _ = try TokenizerFiles { name throws(AdmissionFault) in try Self.bytes(name, task) }
            return ["it has a tokenizer, which the base's folder lacks: a release has none"]
        }
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
                    "its tokenizer gives texts other ids than the base's: \(shown)\(rest); a release has the base's, "
                    + "so fine-tune with that, or put these tokens into the base first")
        }
        return comparison.warnings
    }

    /// What differs between the named chat templates, one a file, of which a release has the base's; a line for each.
    func checkTemplates(_ task: UploadReader) throws(AdmissionFault) -> [String] {
        var warnings: [String] = []
        for name in task.listing.files.keys.sorted() where name.hasPrefix(BaseFiles.templates + "/") {
            guard BaseFiles.isPassedOn(name), let own = try Self.bytes(name, task) else { continue }
            guard let other = try Self.bytes(name, reader) else {
                warnings.append("it has the chat template `\(shown(name))`, which the base lacks and a release has not")
                continue
            }
            if own != other {
                warnings.append(
                    "its chat template `\(shown(name))` is another one than the base's, which the release has")
            }
        }
        return warnings
    }

    static func bytes(_ name: String, _ reader: UploadReader) throws(AdmissionFault) -> [UInt8]? {
        guard reader.listing.files[name] != nil else { return nil }
        let bytes = try reader.contents(name, limit: ContentCheck.longest)
        if let fault = ContentCheck.disguise(of: bytes, name) { throw fault }
        return bytes
    }

    /// The object in a JSON file; nil where there is no such file.
    static func object(_ name: String, _ reader: UploadReader) throws(AdmissionFault) -> [String: JSONValue]? {
        guard let bytes = try bytes(name, reader) else { return nil }
        return try JSONValue.members(upload: bytes, called: name)
    }
}
