internal import Files

extension Tokenizer {
    /// Reads the content of a tokenizer.json. Throws `unsupported` with the name of a component that is not
    /// implemented.
    package convenience init(json bytes: some Sequence<UInt8>) throws(TokenizerError) {
        let file = try TokenizerFile(bytes)
        let root = try Component(.object(file.members), "tokenizer")
        var normalizer: Normalizer?
        if let component = try Component.optional(root.members["normalizer"], "normalizer") {
            normalizer = try Normalizer(component)
        }
        var preTokenizer: PreTokenizer?
        if let component = try Component.optional(root.members["pre_tokenizer"], "pre_tokenizer") {
            preTokenizer = try PreTokenizer(component)
        }
        var postProcessor: PostProcessor?
        var trimming: OffsetTrimming?
        if let component = try Component.optional(root.members["post_processor"], "post_processor") {
            postProcessor = try PostProcessor(component)
            trimming = try OffsetTrimming(component)
        }
        var decoder = TokenDecoder.none
        if let component = try Component.optional(root.members["decoder"], "decoder") {
            decoder = try TokenDecoder(component)
        }
        try self.init(
            normalizer: normalizer, preTokenizer: preTokenizer, model: try TokenModel(file),
            added: try Self.added(root), postProcessor: postProcessor ?? PostProcessor(), decoder: decoder,
            truncation: try Component.optional(root.members["truncation"], "truncation")?.integer("max_length"),
            trimming: trimming)
    }

    private static func added(_ root: Component) throws(TokenizerError) -> [AddedTokens.Token] {
        guard root.members["added_tokens"] != nil else { return [] }
        var tokens: [AddedTokens.Token] = []
        for item in try root.components("added_tokens") {
            let isSpecial = try item.bool("special", default: false)
            tokens.append(
                AddedTokens.Token(
                    id: try item.identifier("id"), content: try item.string("content"), isSpecial: isSpecial,
                    isWholeWord: try item.bool("single_word", default: false),
                    stripsLeft: try item.bool("lstrip", default: false),
                    stripsRight: try item.bool("rstrip", default: false),
                    isNormalized: try item.bool("normalized", default: !isSpecial)))
        }
        return tokens
    }
}
