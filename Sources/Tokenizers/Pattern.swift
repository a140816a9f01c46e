internal import CPCRE2

/// A compiled pattern over UTF-8, with Unicode classes, or a literal text.
///
/// Files hold patterns of Oniguruma, which `PatternTranslation` writes for PCRE2. Matching is bounded by a number of
/// steps, since patterns and texts are untrusted.
@safe final class Pattern: @unchecked Sendable {
    // Compiled code is read-only once it is made; match data are made for each call.
    private let code: OpaquePointer?
    private let literal: [UInt8]
    private let source: String
    private static let stepLimit: UInt32 = 10_000_000

    init(literal: String) {
        unsafe code = nil
        self.literal = Array(literal.utf8)
        source = literal
    }

    init(regex: String) throws(TokenizerError) {
        var status: Int32 = 0
        var offset = 0
        let pattern = Array(try PatternTranslation.pcre2(of: regex).utf8)
        let options = UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP)
        let compiled = unsafe pcre2_compile_8(pattern, pattern.count, options, &status, &offset, nil)
        guard let compiled = unsafe compiled else {
            var buffer = [UInt8](repeating: 0, count: 256)
            _ = unsafe pcre2_get_error_message_8(status, &buffer, buffer.count)
            let reason = String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
            throw .pattern(regex, reason: reason)
        }
        _ = unsafe pcre2_jit_compile_8(compiled, UInt32(PCRE2_JIT_COMPLETE))
        unsafe code = compiled
        literal = []
        source = regex
    }

    deinit {
        if let code = unsafe code { unsafe pcre2_code_free_8(code) }
    }

    /// Byte ranges of the matches in `text`, valid UTF-8, in order and without overlap. An empty match stands for the
    /// place at which it is, but for one right behind another match.
    func matches(in text: [UInt8]) throws(TokenizerError) -> [Range<Int>] {
        guard let code = unsafe code else { return occurrences(in: text) }
        guard let data = unsafe pcre2_match_data_create_from_pattern_8(code, nil),
            let context = unsafe pcre2_match_context_create_8(nil)
        else { throw .tooComplex(pattern: source) }
        defer {
            unsafe pcre2_match_data_free_8(data)
            unsafe pcre2_match_context_free_8(context)
        }
        unsafe pcre2_set_match_limit_8(context, Self.stepLimit)
        var found: [Range<Int>] = []
        var start = 0
        while start <= text.count {
            let status = unsafe pcre2_match_8(code, text, text.count, start, UInt32(PCRE2_NO_UTF_CHECK), data, context)
            if status == PCRE2_ERROR_NOMATCH { break }
            guard status > 0, let offsets = unsafe pcre2_get_ovector_pointer_8(data) else {
                throw .tooComplex(pattern: source)
            }
            let range = unsafe offsets[0]..<max(offsets[0], offsets[1])
            if range.isEmpty {
                if found.last?.upperBound != range.lowerBound { found.append(range) }
                start = range.upperBound + 1
                while start < text.count, text[start] & 0xC0 == 0x80 { start += 1 }
            } else {
                found.append(range)
                start = range.upperBound
            }
        }
        return found
    }

    private func occurrences(in text: [UInt8]) -> [Range<Int>] {
        guard let first = literal.first, literal.count <= text.count else { return [] }
        var found: [Range<Int>] = []
        var start = 0
        while start + literal.count <= text.count {
            if text[start] == first, text[start..<start + literal.count].elementsEqual(literal) {
                found.append(start..<start + literal.count)
                start += literal.count
            } else {
                start += 1
            }
        }
        return found
    }
}
