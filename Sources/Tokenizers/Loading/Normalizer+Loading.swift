extension Normalizer {
    init(_ component: Component) throws(TokenizerError) {
        switch component.type {
        case "Sequence":
            var steps: [Normalizer] = []
            for step in try component.components("normalizers") { steps.append(try Normalizer(step)) }
            self = .sequence(steps)
        case "BertNormalizer":
            self = .bert(
                BertNormalizer(
                    cleansText: try component.bool("clean_text", default: true),
                    setsIdeographsApart: try component.bool("handle_chinese_chars", default: true),
                    stripsAccents: try component.optionalBool("strip_accents"),
                    lowercases: try component.bool("lowercase", default: true)))
        case "Lowercase": self = .lowercase
        case "StripAccents": self = .stripAccents
        case "Strip":
            self = .strip(
                left: try component.bool("strip_left", default: true),
                right: try component.bool("strip_right", default: true))
        case "Replace": self = .replace(try component.pattern("pattern"), with: try component.string("content"))
        case "Prepend": self = .prepend(try component.string("prepend"))
        case "Precompiled":
            self = .precompiled(try PrecompiledMap(charsmap: try component.string("precompiled_charsmap")))
        case "ByteLevel": self = .byteLevel
        case "Nmt": self = .nmt
        default:
            guard let form = UnicodeForm(rawValue: component.type) else { throw component.unsupported }
            self = .form(form)
        }
    }
}
