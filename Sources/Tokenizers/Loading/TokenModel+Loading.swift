internal import Files

extension TokenModel {
    init(_ file: TokenizerFile) throws(TokenizerError) {
        let component = try Component(.object(file.model), "model")
        switch component.type.isEmpty ? Self.guessedType(file) : component.type {
        case "WordLevel": self = .wordLevel(file.vocabulary, unknown: try component.string("unk_token"))
        case "WordPiece":
            self = .wordPiece(
                WordPiece(
                    vocabulary: file.vocabulary, unknown: try component.string("unk_token", default: "[UNK]"),
                    prefix: Array(try component.string("continuing_subword_prefix", default: "##").utf8),
                    limit: try component.integer("max_input_chars_per_word", default: 100)))
        case "BPE": self = .bpe(try BytePairEncoding(file, component))
        case "Unigram":
            let unknown = component.members["unk_id"] == .null ? nil : try component.integer("unk_id", default: 0)
            guard unknown ?? 0 < max(1, file.pieces.count) else {
                throw component.mismatch("unk_id", "an id of the vocabulary", .integer(unknown ?? 0))
            }
            self = .unigram(
                Unigram(
                    file.pieces, unknown: unknown, fallsBackToBytes: try component.bool("byte_fallback", default: false)
                ))
        default: throw component.unsupported
        }
    }

    /// Of files before `type` was written.
    private static func guessedType(_ file: TokenizerFile) -> String {
        if !file.pieces.isEmpty { return "Unigram" }
        if !file.merges.isEmpty { return "BPE" }
        return file.model["continuing_subword_prefix"] == nil ? "WordLevel" : "WordPiece"
    }
}

extension BytePairEncoding {
    init(_ file: TokenizerFile, _ component: Component) throws(TokenizerError) {
        if let dropout = component.members["dropout"], dropout != .null, dropout != .integer(0), dropout != .number(0) {
            throw component.mismatch("dropout", "null, since ids must not change from run to run", dropout)
        }
        let prefix = try component.string("continuing_subword_prefix", default: "")
        var merges: [UInt64: Merge] = [:]
        merges.reserveCapacity(file.merges.count)
        for (rank, merge) in file.merges.enumerated() {
            let right =
                merge.right.starts(with: prefix.utf8) ? merge.right.dropFirst(prefix.utf8.count) : merge.right[...]
            let whole = merge.left + right
            guard let left = file.vocabulary.id(of: merge.left[...]),
                let other = file.vocabulary.id(of: merge.right[...]),
                let id = file.vocabulary.id(of: whole[...])
            else {
                let text = String(decoding: whole, as: UTF8.self)
                throw .malformed(
                    "model.merges[\(rank)]: a token of the merge '\(shown(text))' is not in the vocabulary")
            }
            merges[Self.key(left, other)] = Merge(rank: Int32(rank), id: Int32(id))
        }
        self.init(
            vocabulary: file.vocabulary, merges: merges,
            unknown: component.members["unk_token"] == .null ? nil : try component.string("unk_token", default: ""),
            prefix: prefix, suffix: try component.string("end_of_word_suffix", default: ""),
            fusesUnknown: try component.bool("fuse_unk", default: false),
            fallsBackToBytes: try component.bool("byte_fallback", default: false),
            ignoresMergesOfTokens: try component.bool("ignore_merges", default: false))
    }
}
