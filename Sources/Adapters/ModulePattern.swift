/// A key of `alpha_pattern`: a module's name or the end of one, in which a point stands for any character, as in the regular
/// expression that it is to PEFT.
package struct ModulePattern: Hashable, Sendable {
    private enum Symbol: Hashable, Sendable { case any, exactly(UInt8) }

    private let symbols: [Symbol]
    private let isAnchored: Bool

    /// Nil where the key is more of a regular expression than that.
    package init?(_ key: String) {
        var bytes = Array(key.utf8)[...]
        isAnchored = bytes.first == UInt8(ascii: "^")
        if isAnchored { bytes = bytes.dropFirst() }
        if bytes.last == UInt8(ascii: "$") { bytes = bytes.dropLast() }
        var symbols: [Symbol] = []
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "\\"):
                guard bytes.popFirst() == UInt8(ascii: ".") else { return nil }
                symbols.append(.exactly(UInt8(ascii: ".")))
            case UInt8(ascii: "."): symbols.append(.any)
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                symbols.append(.exactly(byte))
            default: return nil
            }
        }
        guard !symbols.isEmpty else { return nil }
        self.symbols = symbols
    }

    /// Whether it matches the whole name, or the end of it that follows a point.
    package func matches(_ module: String) -> Bool {
        let name = Array(module.utf8)
        guard name.count >= symbols.count else { return false }
        let start = name.count - symbols.count
        guard start == 0 || (!isAnchored && name[start - 1] == UInt8(ascii: ".")) else { return false }
        return zip(symbols, name[start...]).allSatisfy { symbol, byte in
            switch symbol {
            case .any: true
            case .exactly(let wanted): wanted == byte
            }
        }
    }
}
