import Files

/// What differs between the tokenizer files of a fine-tune and those of its base, which the release has.
///
/// A difference that gives a text other token ids is a fault: the merged model would get other inputs than the
/// fine-tune was trained with. Others, such as a chat template, are warnings.
struct TokenizerComparison {
    private(set) var faults: [String] = []
    private(set) var warnings: [String] = []

    init(_ own: TokenizerFiles, base: TokenizerFiles) {
        comparePipelines(own, base)
        compareVocabularies(own, base)
        compareAddedTokens(own, base)
        compareSettings(own, base)
        compareTemplates(own, base)
    }

    /// Normalizer, pre-tokenizer, post-processor and the model without its vocabulary, in `tokenizer.json`.
    private mutating func comparePipelines(_ own: TokenizerFiles, _ base: TokenizerFiles) {
        guard let first = own.pipeline, let second = base.pipeline else { return }
        for part in Set(first.keys).union(second.keys).sorted() where first[part] != second[part] {
            let isStated = first[part] != nil ? "is another one than the base's" : "lacks what the base's does"
            faults.append("`\(part)` of \(TokenizerFiles.fast) \(isStated)")
        }
    }

    private mutating func compareVocabularies(_ own: TokenizerFiles, _ base: TokenizerFiles) {
        for name in own.vocabularies.keys.sorted() {
            guard let other = base.vocabularies[name], other != own.vocabularies[name] else { continue }
            faults.append("\(name) is another one than the base's")
        }
        guard let first = own.tokens, let second = base.tokens else { return }
        let moved = first.filter { token, id in second[token].map { $0 != id } ?? false }.keys.sorted()
        if !moved.isEmpty { faults.append("the base gives \(Self.list(moved)) another id") }
    }

    /// Tokens that one of the two has beside the other's. One that is never in a text, the padding, changes nothing.
    private mutating func compareAddedTokens(_ own: TokenizerFiles, _ base: TokenizerFiles) {
        guard let first = own.tokens, let second = base.tokens else {
            let added = own.beyond.filter { !base.knows($0) && $0 != own.settings["pad_token"]?.token }.sorted()
            if !added.isEmpty { faults.append("the base's tokenizer lacks the tokens \(Self.list(added))") }
            return
        }
        let padding = own.settings["pad_token"]?.token
        let added = first.keys.filter { second[$0] == nil && $0 != padding }.sorted()
        if !added.isEmpty { faults.append("the base's tokenizer lacks the tokens \(Self.list(added))") }
        let lost = second.keys.filter { first[$0] == nil && $0 != base.settings["pad_token"]?.token }.sorted()
        if !lost.isEmpty { faults.append("its tokenizer lacks the base's tokens \(Self.list(lost))") }
        if let padding, first[padding] != nil, second[padding] == nil {
            warnings.append("its padding token `\(shown(padding))` is not in the base's tokenizer: pad with the base's")
        }
        for token in own.flags.keys.sorted() {
            guard let other = base.flags[token], other != own.flags[token] else { continue }
            faults.append("the token `\(shown(token))` is found by other rules than the base's")
        }
    }

    /// Options in `tokenizer_config.json` and names of special tokens.
    private mutating func compareSettings(_ own: TokenizerFiles, _ base: TokenizerFiles) {
        guard !own.settings.isEmpty, !base.settings.isEmpty else { return }
        for key in TokenizerFiles.options.sorted() {
            guard let first = own.option(key), let second = base.option(key),
                !TokenizerFiles.areEqual(first, second, key)
            else { continue }
            let isStated = base.settings[key] != nil ? "the base's \(second.phrase)" : "the base's not stated"
            faults.append("`\(key)` is \(own.settings[key] != nil ? first.phrase : "not stated"), \(isStated)")
        }
        for key in TokenizerFiles.namesOfTokens {
            guard let first = own.settings[key]?.token, first != base.settings[key]?.token else { continue }
            let other = base.settings[key]?.token
            let text = "`\(key)` is `\(shown(first))`, the base's \(other.map { "`\(shown($0))`" } ?? "is not set")"
            if other != nil, TokenizerFiles.isWritten(key, own, base) {
                faults.append(text)
            } else {
                warnings.append(text)
            }
        }
    }

    private mutating func compareTemplates(_ own: TokenizerFiles, _ base: TokenizerFiles) {
        guard let template = own.template, template != base.template else { return }
        warnings.append(
            base.template == nil
                ? "it has a chat template, which the base lacks: prompts of the release have to be written without"
                : "its chat template is another one than the base's, which the release has")
    }

    private static func list(_ tokens: [String]) -> String { tokens.map { shown($0) }.firstFew }
}

extension JSONValue {
    /// A special token as tokenizers write it: its text, or an object that holds it.
    fileprivate var token: String? { text ?? members["content"]?.text }
}
