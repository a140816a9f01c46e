/// Classes of characters as the `tokenizers` library draws them. Its tables are of three Unicode versions: general
/// categories of 8, normalization and marks of 9, patterns of 16. What a later version assigned has no class there.
extension Unicode.Scalar {
    func isAssigned(in version: Int) -> Bool {
        if value < 0x80 { return true }
        guard let age = properties.age else { return false }
        return age.major < version || age.major == version && age.minor == 0
    }

    /// Marks of any kind: Mn, Mc, Me.
    var isMark: Bool {
        switch value {
        // Their categories changed after Unicode 9.
        case 0x1CF2, 0x1CF3: true
        case 0x111C9: false
        default: isAnyMark && isAssigned(in: 9)
        }
    }

    private var isAnyMark: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }

    /// Mn.
    var isNonspacingMark: Bool {
        switch value {
        // Their categories changed after Unicode 8.
        case 0x1734: true
        case 0x1885, 0x1886, 0xA9BD, 0x111C9: false
        default: properties.generalCategory == .nonspacingMark && isAssigned(in: 8)
        }
    }

    /// Control, format, surrogate, private use.
    var isOther: Bool {
        guard isAssigned(in: 8) || properties.generalCategory == .privateUse else { return false }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse: return true
        default: return false
        }
    }

    /// ASCII punctuation and symbols, and every category P.
    var isPunctuation: Bool {
        switch value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
        case 0..<0x80: return false
        // Their categories changed after Unicode 8.
        case 0x166D, 0x111C9: return true
        default: break
        }
        guard isAssigned(in: 8) else { return false }
        switch properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return true
        default: return false
        }
    }

    /// `\w` of Unicode: letters, marks, decimal digits, connectors.
    var isWordCharacter: Bool {
        if value < 0x80 {
            switch value {
            case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: return true
            default: return false
            }
        }
        guard isAssigned(in: 16) else { return false }
        if properties.isAlphabetic || isAnyMark { return true }
        switch properties.generalCategory {
        case .decimalNumber, .connectorPunctuation: return true
        default: return value == 0x200C || value == 0x200D
        }
    }
}

extension String {
    /// Each character by itself, without the rules that look at neighbours (final sigma).
    func lowercasedByScalar() -> String {
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.isASCII {
                result.append((0x41...0x5A).contains(scalar.value) ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar)
            } else {
                result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
        return String(result)
    }

    func filteringScalars(_ isKept: (Unicode.Scalar) -> Bool) -> String {
        String(String.UnicodeScalarView(unicodeScalars.filter(isKept)))
    }
}
