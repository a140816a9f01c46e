package import Files
package import Tokenizers

/// What a base directory says about how its texts are encoded.
package struct ExampleFolder: Sendable {
    package var tokenizer: Tokenizer
    package var maximum: Int
    package var padding: Int
    package var end: Int?

    /// Most tokens where neither file says less.
    private static let defaultMaximum = 1024
    private static let largestFile = 128 << 20

    /// Reads tokenizer.json, tokenizer_config.json and config.json of `directory`.
    package init(directory: String, configuration: [String: JSONValue]) throws {
        let path = directory + "/tokenizer.json"
        guard try FileStatus.ifPresent(path, followingLinks: true) != nil else {
            throw ExamplesError.set(
                "\(directory) has no tokenizer.json: save the base with a fast tokenizer, or provide "
                    + "validation.safetensors"
            )
        }
        tokenizer = try Tokenizer(
            json: try ReadableFile(path: path, followingLinks: true).contents(limit: Self.largestFile))
        var tokens: [String: JSONValue] = [:]
        let settings = directory + "/tokenizer_config.json"
        if try FileStatus.ifPresent(settings, followingLinks: true) != nil {
            let bytes = try ReadableFile(path: settings, followingLinks: true).contents(limit: Self.largestFile)
            do {
                tokens = try JSONValue.members(parsing: bytes, .python)
            } catch {
                throw ExamplesError.set("\(settings): \(error.reason)")
            }
        }
        let limits = [
            tokens["model_max_length"], configuration["max_position_embeddings"], configuration["n_positions"],
        ]
        maximum = limits.compactMap(Self.whole).filter { $0 > 0 }.min() ?? Self.defaultMaximum
        maximum = min(maximum, tokenizer.truncation ?? maximum)
        padding = Self.id(tokens["pad_token"], tokenizer) ?? Self.whole(configuration["pad_token_id"]) ?? 0
        end = Self.id(tokens["eos_token"], tokenizer) ?? Self.whole(configuration["eos_token_id"])
    }

    /// A whole number, also one that Python wrote as a float; transformers writes 1e30 for no limit.
    private static func whole(_ value: JSONValue?) -> Int? {
        switch value {
        case .integer(let value)?: value
        case .number(let value)?: Int(exactly: value.rounded())
        default: nil
        }
    }

    /// The id of a token that is written as a text or as an added token.
    private static func id(_ value: JSONValue?, _ tokenizer: Tokenizer) -> Int? {
        switch value {
        case .string(let token)?: tokenizer.id(of: token)
        case .object(let members)?: id(members["content"], tokenizer)
        default: nil
        }
    }
}
