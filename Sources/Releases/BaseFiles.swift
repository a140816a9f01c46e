internal import Files
internal import Foundation
internal import WorkerProtocol

/// Configuration, tokenizer and graph of the base model: what a release passes on besides weights, and never takes from a task.
struct BaseFiles {
    let directory: String
    /// Links may not lead out of it; nil: `directory`.
    let root: String?
    /// The base's files as admission saw them. A copy of one of these has its digest or is an error.
    let admitted: [SourceFile]

    /// Names that may be passed on, and whether the file can name Python code that a server would run.
    static let allowed: [(name: String, mayNameCode: Bool)] = [
        ("config.json", true), ("generation_config.json", true), ("preprocessor_config.json", true),
        ("processor_config.json", true), ("image_processor_config.json", true),
        ("video_preprocessor_config.json", true),
        ("tokenizer_config.json", true), ("special_tokens_map.json", true), ("chat_template.json", true),
        ("tokenizer.json", false), ("added_tokens.json", false), ("vocab.json", false), ("vocab.txt", false),
        ("merges.txt", false), ("bpe.codes", false), ("tokenizer.model", false), ("spiece.model", false),
        ("sentencepiece.bpe.model", false), ("source.spm", false), ("target.spm", false),
        ("chat_template.jinja", false),
        ("LICENSE", false), ("LICENSE.txt", false), ("LICENSE.md", false), ("NOTICE", false), ("NOTICE.txt", false),
        ("graph.pt2", false),
    ]

    /// Copies what is there into `target` and returns names, lengths and digests. One chunk of memory per file.
    func copy(to target: String) throws -> [SourceFile] {
        var copies: [SourceFile] = []
        for (name, mayNameCode) in Self.allowed {
            guard let file = try open(name) else { continue }
            if mayNameCode { try refuseCode(in: file) }
            copies.append(try copy(file, name: name, to: "\(target)/\(name)"))
        }
        return copies
    }

    private func copy(_ file: ReadableFile, name: String, to path: String) throws -> SourceFile {
        let copy = try WritableFile(creating: path)
        let sha256 = unsafe try file.sha256 { bytes, _ in unsafe try copy.append(bytes) }
        try copy.finish(sync: false)
        if let known = admitted.first(where: { $0.name == name }), known.sha256 != sha256 {
            throw ReleasesError.badBase(
                path: file.path, reason: "it changed after the base was admitted; merge again from the new base")
        }
        return SourceFile(name: name, bytes: copy.count, sha256: sha256)
    }

    private func open(_ name: String) throws -> ReadableFile? {
        if let file = try openIfPresent(name) { return file }
        guard admitted.contains(where: { $0.name == name }) else { return nil }
        throw ReleasesError.badBase(
            path: "\(directory)/\(name)", reason: "it vanished after the base was admitted; put it back")
    }

    private func openIfPresent(_ name: String) throws(FilesError) -> ReadableFile? {
        do throws(FilesError) {
            return try ReadableFile(name: name, directory: directory, root: root)
        } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
    }

    /// Some servers run the Python that these keys name, whatever they are told about trusting it.
    private func refuseCode(in file: ReadableFile) throws {
        let object: Any
        do {
            object = try JSONSerialization.jsonObject(
                with: Data(file.contents(limit: 16 << 20)), options: .fragmentsAllowed)
        } catch let error as FilesError {
            throw error
        } catch {
            throw ReleasesError.badBase(path: file.path, reason: "it is not JSON; save the base model again")
        }
        if let key = Self.codeKey(in: object) {
            throw ReleasesError.badBase(
                path: file.path, reason: "it names Python code (\(key)), which is never passed on; remove that key")
        }
    }

    private static func codeKey(in value: Any) -> String? {
        if let object = value as? [String: Any] {
            for key in ["auto_map", "custom_pipelines"] where object[key] != nil { return key }
            return object.values.lazy.compactMap { codeKey(in: $0) }.first
        }
        return (value as? [Any])?.lazy.compactMap { codeKey(in: $0) }.first
    }
}
