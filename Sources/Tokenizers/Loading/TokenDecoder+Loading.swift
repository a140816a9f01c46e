extension TokenDecoder {
    init(_ component: Component) throws(TokenizerError) {
        switch component.type {
        case "Sequence":
            var steps: [TokenDecoder] = []
            for step in try component.components("decoders") { steps.append(try TokenDecoder(step)) }
            self = .sequence(steps)
        case "ByteLevel": self = .byteLevel
        case "WordPiece":
            self = .wordPiece(
                prefix: try component.string("prefix", default: "##"),
                cleansUp: try component.bool("cleanup", default: true))
        case "Metaspace":
            let metaspace = try component.metaspace()
            self = .metaspace(
                replacement: String(decoding: metaspace.replacement, as: UTF8.self),
                stripsFirst: metaspace.prefix != .never)
        case "ByteFallback": self = .byteFallback
        case "Fuse": self = .fuse
        case "Replace":
            let pattern = try component.component("pattern")
            guard pattern.members["String"] != nil else { throw component.unsupported }
            self = .replace(try pattern.string("String"), with: try component.string("content"))
        case "Strip":
            let content = try component.string("content")
            guard let character = content.unicodeScalars.first, content.unicodeScalars.count == 1 else {
                throw component.mismatch("content", "one character", .string(content))
            }
            self = .strip(character, start: try component.integer("start"), stop: try component.integer("stop"))
        case "BPEDecoder": self = .bpe(suffix: try component.string("suffix", default: "</w>"))
        default: throw component.unsupported
        }
    }
}
