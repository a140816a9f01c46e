/// A text on its way through the normalizer, with the place in the original text that each of its bytes comes from.
struct AlignedText: Sendable {
    private(set) var bytes: [UInt8]
    /// Of each byte: the bytes of the original character, or characters, that it comes from.
    private(set) var sources: [Range<Int>]

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// A part of the original that begins at byte `start` of it.
    init(_ text: String, start: Int = 0) {
        (bytes, sources) = ([], [])
        var position = start
        for scalar in text.unicodeScalars {
            let end = position + UTF8.width(scalar)
            append(UTF8.encode(scalar).map(Array.init) ?? [], from: position..<end)
            position = end
        }
    }

    private init() { (bytes, sources) = ([], []) }

    private mutating func append(_ added: some Collection<UInt8>, from source: Range<Int>) {
        bytes += added
        sources += repeatElement(source, count: added.count)
    }

    private mutating func append(_ other: AlignedText, _ range: Range<Int>) {
        bytes += other.bytes[range]
        sources += other.sources[range]
    }

    func piece(_ range: Range<Int>, isFirst: Bool) -> Piece {
        Piece(bytes: Array(bytes[range]), isFirst: isFirst, sources: Array(sources[range]))
    }

    /// What the bytes of a range come from; nil for none.
    func source(_ range: Range<Int>) -> Range<Int>? { sources[range].union }

    /// What `normalizer` makes of it.
    func normalized(by normalizer: Normalizer) throws(TokenizerError) -> AlignedText {
        switch normalizer {
        case .sequence(let steps):
            var result = self
            let limit = TextLimit("normalizer", of: bytes.count)
            for step in steps {
                result = try result.normalized(by: step)
                try limit.check(result.bytes.count)
            }
            return result
        case .strip(let left, let right): return stripped(left, right)
        case .replace(let pattern, let content):
            let matches = try pattern.matches(in: bytes)
            try TextLimit("normalizer", of: bytes.count).check(matches, by: content)
            return replaced(matches, by: content)
        case .prepend(let prefix):
            guard let first = sources.first else { return self }
            var result = AlignedText()
            result.append(prefix.utf8, from: first)
            result.append(self, bytes.indices)
            return result
        case .bert, .lowercase, .stripAccents, .nmt, .byteLevel:
            return try changed(normalizer, in: [text.unicodeScalars.map(UTF8.width)])
        case .form, .precompiled: return try changed(normalizer, in: [text.map(\.utf8.count), words])
        }
    }

    private func stripped(_ left: Bool, _ right: Bool) -> AlignedText {
        let scalars = text.unicodeScalars
        func width(_ space: some Sequence<Unicode.Scalar>) -> Int {
            space.prefix { $0.properties.isWhitespace }.reduce(0) { $0 + UTF8.width($1) }
        }
        let start = left ? width(scalars) : 0
        let end = right ? bytes.count - width(scalars.reversed()) : bytes.count
        var result = AlignedText()
        result.append(self, min(start, end)..<end)
        return result
    }

    /// What takes the place of a match comes from its last character, as in the library.
    private func replaced(_ matches: [Range<Int>], by content: String) -> AlignedText {
        var result = AlignedText()
        var position = 0
        for match in matches {
            result.append(self, position..<match.lowerBound)
            result.append(content.utf8, from: sources[match.upperBound - 1])
            position = match.upperBound
        }
        result.append(self, position..<bytes.count)
        return result
    }

    /// Applies a step part by part, by the first division into parts that gives the same as the whole. Throws where
    /// none does.
    private func changed(_ step: Normalizer, in divisions: [[Int]]) throws(TokenizerError) -> AlignedText {
        let whole = Array(try step.apply(text).utf8)
        for widths in divisions {
            var result = AlignedText()
            var position = 0
            for width in widths {
                let range = position..<position + width
                position += width
                let part = String(decoding: bytes[range], as: UTF8.self)
                let changed = try step.apply(part)
                result.append(changed, of: self, range, part)
            }
            if result.bytes == whole { return result }
        }
        throw .noOffsets
    }

    /// A part that was changed: character by character where their number stayed.
    private mutating func append(_ changed: String, of other: AlignedText, _ range: Range<Int>, _ part: String) {
        let (before, after) = (part.unicodeScalars, changed.unicodeScalars)
        guard before.count == after.count else {
            if let source = other.source(range) { append(changed.utf8, from: source) }
            return
        }
        var position = range.lowerBound
        for (old, new) in zip(before, after) {
            let end = position + UTF8.width(old)
            if let source = other.source(position..<end) {
                append(UTF8.encode(new).map(Array.init) ?? [], from: source)
            }
            position = end
        }
    }

    /// Lengths of the words and of the white space between them.
    private var words: [Int] {
        var widths: [Int] = []
        var wasSpace: Bool?
        for byte in bytes {
            let isSpace = byte == 0x20 || byte == 0x0A
            if wasSpace == isSpace { widths[widths.count - 1] += 1 } else { widths.append(1) }
            wasSpace = isSpace
        }
        return widths
    }
}

extension Collection<Range<Int>> {
    /// From the first to the last place; nil for none.
    var union: Range<Int>? {
        guard let low = self.map(\.lowerBound).min(), let high = self.map(\.upperBound).max() else { return nil }
        return low..<high
    }
}
