import Files

/// The parts of `tokenizer.json` in one form, whichever version of the tokenizers library wrote them.
enum TokenizerPipeline {
    /// A part without what is off or the default, and without what changes no id; nil where nothing is left.
    static func plain(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .object(let members):
            var kept: [String: JSONValue] = [:]
            for (key, member) in members where !["trim_offsets", "str_rep"].contains(key) {
                if key == "use_regex" || key == "split", member == .bool(true) { continue }
                // Null goes by `lowercase`, which false does not.
                kept[key] = key == "strip_accents" && member != .null ? member : plain(member)
            }
            if kept["type"] == "Metaspace", kept["add_prefix_space"] == .bool(true) {
                kept["add_prefix_space"] = nil
                kept["prepend_scheme"] = kept["prepend_scheme"] ?? "always"
            }
            if kept["type"] == "Sequence",
                let parts = members["normalizers"] ?? members["pretokenizers"] ?? members["processors"]
            {
                let plainParts = parts.elements.compactMap(plain)
                if plainParts.count == 1 { return plainParts[0] }
            }
            return kept.isEmpty ? nil : .object(kept)
        case .array(let items): return items.isEmpty ? nil : .array(items.map { plain($0) ?? .null })
        default: return value.isOff ? nil : value
        }
    }

    /// SentencePiece's spaces, which are put in by a normalizer or by a pre-tokenizer.
    static func unified(_ pipeline: [String: JSONValue]) -> [String: JSONValue] {
        var pipeline = pipeline
        let parts = pipeline["normalizer"]?.members["normalizers"]?.elements ?? []
        let isMarking =
            parts.count == 2 && parts[0].members["type"] == "Prepend" && parts[0].members["prepend"] == "▁"
            && parts[1].members["type"] == "Replace" && parts[1].members["content"] == "▁"
        if isMarking, pipeline["pre_tokenizer"] == nil {
            pipeline["normalizer"] = nil
            pipeline["pre_tokenizer"] = .object([
                "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always",
            ])
        }
        return pipeline
    }
}
