/// What decides, beside the bytes of the examples and of the tokenizer, which tensors examples become.
package struct ExampleEncoding: Codable, Hashable, Sendable {
    /// An input of the graph.
    package struct Input: Codable, Hashable, Sendable {
        package var name: String
        /// Tokens that it takes, where the graph has a fixed number.
        package var width: Int?

        package init(name: String, width: Int? = nil) {
            self.name = name
            self.width = width
        }
    }

    /// The input that takes images.
    package struct ImageInput: Codable, Hashable, Sendable {
        package var name: String
        /// Its axes, where the graph has a fixed number.
        package var channels: Int?
        package var height: Int?
        package var width: Int?

        package init(name: String, channels: Int? = nil, height: Int? = nil, width: Int? = nil) {
            self.name = name
            self.channels = channels
            self.height = height
            self.width = width
        }
    }

    /// Counts changes of the encoder that give other tensors for the same input.
    package static let currentVersion = 1

    package var version: Int
    package var objective: TaskSettings.Objective
    /// Role → column, as `task.yaml` says.
    package var columns: [String: String]
    /// Most tokens of an example, as `task.yaml` says.
    package var maximumLength: Int?
    /// How a prompt and its completion become one text, as `task.yaml` says.
    package var template: TaskSettings.Template?
    /// Names of the classes by `id2label`; empty where no configuration has it.
    package var classes: [String]
    /// Inputs of the graph, in its order.
    package var inputs: [Input]
    /// Where the examples are images: what takes them.
    package var image: ImageInput?

    package init(_ settings: TaskSettings, classes: [String], inputs: [Input], image: ImageInput? = nil) {
        version = Self.currentVersion
        objective = settings.objective
        columns = settings.columns ?? [:]
        maximumLength = settings.maximumLength
        template = settings.template
        self.classes = classes
        self.inputs = inputs
        self.image = image
    }
}

/// Examples that came as a table, and the tensors that the base's tokenizer or image processor made of them.
package struct EncodedExamples: Codable, Hashable, Sendable {
    /// Name of the table in the task's folder.
    package var source: String
    /// Path of the tensors, a safetensors file. Where it is missing it is made again, with the same bytes.
    package var file: String
    package var bytes: Int64
    package var sha256: String
    package var encoding: ExampleEncoding
    /// The base's files that decide how texts or images are encoded.
    package var tokenizer: [SourceFile]

    package init(
        source: String, file: String, bytes: Int64, sha256: String, encoding: ExampleEncoding, tokenizer: [SourceFile]
    ) {
        self.source = source
        self.file = file
        self.bytes = bytes
        self.sha256 = sha256
        self.encoding = encoding
        self.tokenizer = tokenizer
    }
}

extension TaskSource {
    /// Path of the tensors that the task is judged by, whether there are any or not.
    package var examplesPath: String { examples?.file ?? "\(directory)/\(ExampleFiles.tensors)" }
}
