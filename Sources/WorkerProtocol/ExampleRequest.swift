internal import Files
internal import Foundation

/// A table of examples to be encoded: what a daemon asks of `supermerge worker --check`, because it never parses the
/// examples, their images or the tokenizer itself.
package struct ExampleRequest: Codable, Hashable, Sendable {
    /// A folder whose files are opened through no link that leads out of `root`.
    package struct Folder: Codable, Hashable, Sendable {
        package var path: String
        package var root: String

        package init(path: String, root: String) {
            self.path = path
            self.root = root
        }
    }

    package var task: Folder
    package var base: Folder
    /// The table in the task's folder, as admission hashed it.
    package var examples: SourceFile
    /// The images beside the table, as admission hashed them; none where the examples are texts.
    package var images: [SourceFile]
    /// The base's files that decide how texts or images are encoded, with their digests.
    package var tokenizer: [SourceFile]
    package var encoding: ExampleEncoding
    /// Path of the safetensors file to write; its folder exists.
    package var output: String

    package init(
        task: Folder, base: Folder, examples: SourceFile, images: [SourceFile] = [], tokenizer: [SourceFile],
        encoding: ExampleEncoding, output: String
    ) {
        self.task = task
        self.base = base
        self.examples = examples
        self.images = images
        self.tokenizer = tokenizer
        self.encoding = encoding
        self.output = output
    }

    /// Base files that decide how texts are encoded: the tokenizer, and what says its limits, its padding and its chat
    /// template.
    package static func tokenizerFiles(for objective: TaskSettings.Objective) -> [String] {
        let files = [
            "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "config.json", "chat_template.jinja",
        ]
        return objective == .similarity ? files + [sentenceSettings] : files
    }

    /// Where sentence-transformers says how many tokens a text may have, and whether it is lower-cased first.
    package static let sentenceSettings = "sentence_bert_config.json"

    /// Base files that decide how images are prepared; the first of the two wins, as in transformers.
    package static let processorFiles = ["processor_config.json", "preprocessor_config.json", "config.json"]

    /// SHA-256 over all that decides the tensors: equal keys mean equal tensors.
    package var key: String {
        let encoding = (try? JSON.encode(encoding)).map { String(decoding: $0, as: UTF8.self) } ?? "\(encoding)"
        let files = (tokenizer.sorted { $0.name < $1.name } + images.sorted { $0.name < $1.name })
            .flatMap { [$0.name, $0.sha256] }
        return Digest.sha256(
            ([examples.name, examples.sha256] + files + [encoding]).joined(separator: "\u{0}").utf8)
    }
}

/// How an encoding ended.
package enum ExampleReply: Codable, Hashable, Sendable {
    /// The output is written.
    case encoded
    /// The examples, or the base's tokenizer for them, can't be used: admission's code and text.
    case refused(code: String, message: String)
    /// A file is no longer the one that was hashed.
    case changed(message: String)
    /// The machine is to blame: try again later.
    case failed(message: String)
    case cancelled
}

/// What encoding a table may take; beyond it the table is refused.
package enum ExampleLimits {
    /// Bytes of a table.
    package static let tableBytes = 64 << 20
    /// Bytes of address space of the worker that encodes.
    package static let memory = 6 << 30
    /// Seconds of processor time of that worker.
    package static let processorSeconds = 300
    /// Seconds after which that worker is ended.
    package static let seconds = 600
    /// Bytes of the encoded set.
    package static let outputBytes = 2 << 30
    /// Images of a task, bytes of one and of all of them, and pixels of one.
    package static let images = 4096
    package static let imageBytes = 64 << 20
    package static let allImageBytes: Int64 = 4 << 30
    package static let imagePixels = 64 << 20
}
