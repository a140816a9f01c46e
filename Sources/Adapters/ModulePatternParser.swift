/// Reads the regular expressions that people write for modules: names, `.`, `\.`, `\d`, `[0-9]`, `[^a-z]`, `( | )`, `(?: )`, `*`, `+`,
/// `?`, `^` and `$`, as Python's `re` does. Anything else is not guessed.
struct ModulePatternParser {
    private static let longest = 512
    private static let deepest = 16
    private static let special = Set("\\.[]{}()*+?|^$".unicodeScalars)

    private var rest: ArraySlice<Unicode.Scalar>
    private var depth = 0

    init(_ expression: String) { rest = Array(expression.unicodeScalars)[...] }

    /// The whole expression; nil where it is not understood or matches nothing but the empty name.
    mutating func steps() -> [ModulePatternStep]? {
        guard rest.count <= Self.longest, let steps = alternatives(), rest.isEmpty else { return nil }
        let takesAny = steps.contains { step in
            if case .one = step { return true }
            return false
        }
        return takesAny ? steps : nil
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard rest.first == scalar else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func alternatives() -> [ModulePatternStep]? {
        guard let first = sequence() else { return nil }
        guard take("|") else { return first }
        guard let others = alternatives() else { return nil }
        var steps: [ModulePatternStep] = [.either(1, first.count + 2)]
        steps += first
        steps.append(.go(others.count + 1))
        return steps + others
    }

    private mutating func sequence() -> [ModulePatternStep]? {
        var steps: [ModulePatternStep] = []
        while let scalar = rest.first, scalar != "|", scalar != ")" {
            guard let part = repeated() else { return nil }
            steps += part
        }
        return steps
    }

    /// One part and how often it may come. Which way is tried first (`*?`) makes no difference to a whole match.
    private mutating func repeated() -> [ModulePatternStep]? {
        if take("^") { return isRepeated ? nil : [.start] }
        if take("$") { return isRepeated ? nil : [.end] }
        guard let part = single() else { return nil }
        var steps = part
        if take("*") {
            steps.insert(.either(1, part.count + 2), at: 0)
            steps.append(.go(-part.count - 1))
        } else if take("+") {
            steps.append(.either(-part.count, 1))
        } else if take("?") {
            steps.insert(.either(1, part.count + 1), at: 0)
        } else {
            return part
        }
        _ = take("?")
        return isRepeated ? nil : steps
    }

    private var isRepeated: Bool { rest.first.map { ["*", "+", "?"].contains($0) } ?? false }

    private mutating func single() -> [ModulePatternStep]? {
        if take("(") { return group() }
        if take("[") { return characters().map { [.one($0)] } }
        if take(".") { return [.one(.any)] }
        if take("\\") { return escaped().map { [.one($0)] } }
        guard let scalar = rest.popFirst(), scalar.isASCII, !Self.special.contains(scalar) else { return nil }
        return [.one(.init(ranges: [scalar.value...scalar.value]))]
    }

    private mutating func group() -> [ModulePatternStep]? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { return nil }
        if take("?"), !take(":") { return nil }
        guard let steps = alternatives(), take(")") else { return nil }
        return steps
    }

    /// What stands for itself behind a backslash: a sign. Of letters only `\d` is known.
    private mutating func escaped() -> ModulePatternStep.Characters? {
        guard let scalar = rest.popFirst(), scalar.isASCII else { return nil }
        if scalar == "d" { return .digits }
        guard !scalar.properties.isAlphabetic, scalar.properties.numericType == nil else { return nil }
        return .init(ranges: [scalar.value...scalar.value])
    }

    /// A class, after its opening bracket.
    private mutating func characters() -> ModulePatternStep.Characters? {
        var characters = ModulePatternStep.Characters(ranges: [], isNegated: take("^"))
        while !take("]") {
            if take("\\") {
                guard let signs = escaped() else { return nil }
                characters.ranges += signs.ranges
                continue
            }
            guard let first = rest.popFirst(), first.isASCII, first != "[" else { return nil }
            var last = first
            if rest.first == "-", let end = rest.dropFirst().first, end != "]" {
                guard first.isPlain, end.isPlain, end >= first else { return nil }
                rest.removeFirst(2)
                last = end
            }
            characters.ranges.append(first.value...last.value)
        }
        return characters.ranges.isEmpty ? nil : characters
    }
}

extension Unicode.Scalar {
    /// Whether it may begin or end a range: a letter or a digit.
    fileprivate var isPlain: Bool { isASCII && (properties.isAlphabetic || properties.numericType != nil) }
}
