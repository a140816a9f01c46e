extension TokenDecoder {
    init(_ component: Component) throws(TokenizerError) {
        switch component.type {
        case "Sequence":
            var steps: [TokenDecoder] = []
            for step in try component.components("decoders") { steps.append(try TokenDecoder(step)) }
            self = .sequence(steps)
            guard growth <= Self.mostGrowth else {
                throw .malformed("decoder: its steps make texts more than \(Int(Self.mostGrowth)) times as long")
            }
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
            guard let character = try component.character("content").unicodeScalars.first else {
                throw component.unsupported
            }
            self = .strip(character, start: try component.integer("start"), stop: try component.integer("stop"))
        case "BPEDecoder": self = .bpe(suffix: try component.string("suffix", default: "</w>"))
        default: throw component.unsupported
        }
    }
}

extension TokenDecoder {
    /// Steps that repeat each other would make any length of a token.
    private static let mostGrowth = 1024.0

    /// How many times as long a text can become.
    private var growth: Double {
        switch self {
        case .sequence(let steps): steps.reduce(1) { $0 * $1.growth }
        case .replace(let pattern, let content): max(1, Double(content.utf8.count) / Double(max(1, pattern.utf8.count)))
        default: 1
        }
    }
}
