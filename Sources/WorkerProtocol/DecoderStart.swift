internal import Files

/// What a decoder is given before it has said anything: its inputs are the target's tokens, one place later.
package struct DecoderStart: Hashable, Sendable {
    /// The first token.
    package var start: Int64
    /// Stands for target tokens that are not scored.
    package var padding: Int64
    /// The last token of each target, a language, stands before it in place of `start` (mBART, PLBart).
    package var movesLast: Bool

    package init(start: Int64, padding: Int64, movesLast: Bool = false) {
        self.start = start
        self.padding = padding
        self.movesLast = movesLast
    }

    /// Files of a base that may say it; the first one that does counts.
    package static let files = ["config.json", "generation_config.json"]

    /// By `decoder_start_token_id` and `pad_token_id` of a Hugging Face configuration, which may stand in its
    /// `text_config` or `decoder`; nil where it does not say. Without a token for padding the start serves, which no
    /// scored prediction sees.
    package init?(configuration: [UInt8]) {
        guard let root = try? JSONValue.members(parsing: configuration, .python) else { return nil }
        let parts = [root] + ["text_config", "decoder"].compactMap { root[$0]?.members }
        func token(_ key: String) -> Int64? {
            parts.lazy.compactMap { $0[key]?.integer }.first { $0 >= 0 }.map(Int64.init)
        }
        let movesLast = Self.movingTypes.contains(root["model_type"]?.text ?? "")
        let padding = token("pad_token_id")
        guard let start = token("decoder_start_token_id") ?? (movesLast ? padding : nil) else { return nil }
        self.init(start: start, padding: padding ?? start, movesLast: movesLast)
    }

    /// Values of `model_type` whose decoder begins with the target's last token.
    private static let movingTypes: Set = ["mbart", "plbart"]

    /// The decoder's inputs for targets of `length` tokens each, one after another: each row moved right by one.
    package func inputs(_ targets: [Int64], length: Int) -> [Int64] {
        targets.indices.map { index in
            guard index % length > 0 else { return first(targets[index..<min(index + length, targets.count)]) }
            return targets[index - 1] < 0 ? padding : targets[index - 1]
        }
    }

    /// What stands before a target; as in transformers, its last token is found by the number of those that are not
    /// padding.
    private func first(_ target: ArraySlice<Int64>) -> Int64 {
        guard movesLast else { return start }
        let count = target.count { $0 >= 0 && $0 != padding }
        return count > 0 ? target[target.startIndex + count - 1] : padding
    }
}
