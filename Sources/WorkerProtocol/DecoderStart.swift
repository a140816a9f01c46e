internal import Files

/// What a decoder is given before it has said anything: its inputs are the target's tokens, one place later.
package struct DecoderStart: Hashable, Sendable {
    /// The first token.
    package var start: Int64
    /// Stands for target tokens that are not scored.
    package var padding: Int64

    package init(start: Int64, padding: Int64) {
        self.start = start
        self.padding = padding
    }

    /// Files of a base that may say it; the first one that does counts.
    package static let files = ["config.json", "generation_config.json"]

    /// By `decoder_start_token_id` and `pad_token_id` of a Hugging Face configuration, which may stand in its `text_config` or
    /// `decoder`; nil where it does not say. Without a token for padding the start serves, which no scored prediction sees.
    package init?(configuration: [UInt8]) {
        guard let root = try? JSONValue.members(parsing: configuration, .python) else { return nil }
        let parts = [root] + ["text_config", "decoder"].compactMap { root[$0]?.members }
        func token(_ key: String) -> Int64? {
            parts.lazy.compactMap { $0[key]?.integer }.first { $0 >= 0 }.map(Int64.init)
        }
        guard let start = token("decoder_start_token_id") else { return nil }
        self.init(start: start, padding: token("pad_token_id") ?? start)
    }

    /// The decoder's inputs for targets of `length` tokens each, one after another: each row moved right by one.
    package func inputs(_ targets: [Int64], length: Int) -> [Int64] {
        targets.indices.map { place in
            guard place % length > 0 else { return start }
            return targets[place - 1] < 0 ? padding : targets[place - 1]
        }
    }
}
