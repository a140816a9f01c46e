internal import CRE2

/// A key of `alpha_pattern` or `rank_pattern`. PEFT's `get_pattern_key` asks Python's `re.match(rf"(.*\.)?({key})$",
/// module)`; RE2 is asked for the same text.
///
/// `PythonExpression` says what is understood. Everything else is refused rather than guessed: lookaround,
/// backreferences, possessive repetition, flags, `\b`, `\Z`, POSIX classes.
package struct ModulePattern: Hashable, Sendable {
    /// Characters of a key.
    private static let maximumLength = 4096

    private let key: String
    private let expression: CompiledExpression

    /// Nil where the key is something else to Python than to RE2, or to either not an expression.
    package init?(_ key: String) {
        guard key.utf8.count <= Self.maximumLength, let shared = PythonExpression.forRE2(key),
            let expression = CompiledExpression("(.*\\.)?(\(shared))$")
        else { return nil }
        self.key = key
        self.expression = expression
    }

    /// Time is linear in the length of the name.
    package func matches(_ module: String) -> Bool { expression.matches(module) }

    /// Two keys are two patterns, even where they match the same.
    package static func == (pattern: ModulePattern, other: ModulePattern) -> Bool { pattern.key == other.key }

    package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// Owns RE2's object. It is never changed, and RE2 matches from any number of threads.
@safe private final class CompiledExpression: @unchecked Sendable {
    private let expression: OpaquePointer

    init?(_ text: String) {
        let bytes = text.utf8CString
        let compiled = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe bytes.baseAddress.flatMap { unsafe cre2_compile($0, bytes.count - 1) }
        }
        guard let compiled = unsafe compiled else { return nil }
        unsafe expression = compiled
    }

    deinit { unsafe cre2_free(expression) }

    func matches(_ text: String) -> Bool {
        let bytes = text.utf8CString
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return false }
            return unsafe cre2_match(expression, base, bytes.count - 1)
        }
    }
}
