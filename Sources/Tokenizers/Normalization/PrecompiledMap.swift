internal import Foundation

/// sentencepiece's compiled normalisation rules: a double-array trie over UTF-8 whose values are offsets into a block
/// of NUL-terminated replacements. Each grapheme cluster under 6 bytes is looked up whole, otherwise each of its
/// characters.
struct PrecompiledMap: Sendable {
    private let units: [UInt32]
    private let replacements: [UInt8]

    /// `charsmap`: base64 of a little-endian length, the trie's units and the replacements.
    init(charsmap: String) throws(TokenizerError) {
        guard let data = Data(base64Encoded: charsmap), data.count >= 4 else {
            throw .malformed("precompiled_charsmap: invalid base64")
        }
        let bytes = [UInt8](data)
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
        }
        let length = Int(word(0))
        guard length % 4 == 0, 4 + length <= bytes.count else {
            throw .malformed("precompiled_charsmap: a trie of \(length) bytes in \(bytes.count)")
        }
        units = stride(from: 4, to: 4 + length, by: 4).map(word)
        replacements = Array(bytes[(4 + length)...])
    }

    func apply(_ text: String) -> String {
        var result = ""
        for grapheme in text {
            if grapheme.utf8.count < 6, let replacement = replacement(for: Array(grapheme.utf8)) {
                result += replacement
                continue
            }
            for scalar in grapheme.unicodeScalars {
                if let replacement = replacement(for: Array(String(Character(scalar)).utf8)) {
                    result += replacement
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }

    /// What the shortest key that begins `bytes` is replaced by; nil where none does.
    private func replacement(for bytes: [UInt8]) -> String? {
        guard let first = units.first else { return nil }
        var position = Int(Self.offset(first))
        for byte in bytes where byte != 0 {
            position ^= Int(byte)
            guard units.indices.contains(position), units[position] & 0x8000_00FF == UInt32(byte) else { return nil }
            let unit = units[position]
            position ^= Int(Self.offset(unit))
            guard (unit >> 8) & 1 == 1, units.indices.contains(position) else { continue }
            let start = Int(units[position] & 0x7FFF_FFFF)
            guard start <= replacements.count else { return nil }
            return String(decoding: replacements[start...].prefix { $0 != 0 }, as: UTF8.self)
        }
        return nil
    }

    private static func offset(_ unit: UInt32) -> UInt32 { (unit >> 10) << ((unit & (1 << 9)) >> 6) }
}
