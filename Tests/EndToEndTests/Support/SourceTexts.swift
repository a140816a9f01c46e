import Foundation

/// What stands between quotation marks in the package's Swift sources.
struct SourceTexts {
    /// `…` in place of interpolations, without backquotes, and joined where they are added to each other.
    let literals: [String]

    init() throws {
        let root = Programs.package.appending(path: "Sources").path
        let names = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        literals = try names.filter { $0.hasSuffix(".swift") }.flatMap { name in
            Self.texts(in: [UInt8](try Data(contentsOf: URL(filePath: "\(root)/\(name)"))))
        }
    }

    /// The pieces between quotation marks; those outside of literals, which are code, come along.
    private static func texts(in source: [UInt8]) -> [String] {
        let quote = UInt8(ascii: "\"")
        var texts: [String] = []
        var current: [UInt8] = []
        var place = 0
        while place < source.count {
            let byte = source[place]
            if byte == UInt8(ascii: "\\"), place + 1 < source.count {
                if source[place + 1] == UInt8(ascii: "(") {
                    place = endOfInterpolation(source, place + 2)
                    current += Array("…".utf8)
                } else {
                    current.append(source[place + 1])
                    place += 2
                }
            } else if byte == quote {
                if let next = beginOfAddend(source, place + 1) {
                    place = next
                } else {
                    texts.append(String(decoding: current, as: UTF8.self))
                    current = []
                    place += 1
                }
            } else {
                if byte != UInt8(ascii: "`") { current.append(byte) }
                place += 1
            }
        }
        return texts + [String(decoding: current, as: UTF8.self)]
    }

    /// The place behind the parenthesis that closes an interpolation.
    private static func endOfInterpolation(_ source: [UInt8], _ start: Int) -> Int {
        var (place, depth) = (start, 1)
        while place < source.count, depth > 0 {
            if source[place] == UInt8(ascii: "(") { depth += 1 }
            if source[place] == UInt8(ascii: ")") { depth -= 1 }
            place += 1
        }
        return place
    }

    /// The place behind the next literal's quotation mark, where `+` and white space alone lie between; nil where not.
    private static func beginOfAddend(_ source: [UInt8], _ start: Int) -> Int? {
        var (place, pluses) = (start, 0)
        while place < source.count {
            switch source[place] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"): break
            case UInt8(ascii: "+"): pluses += 1
            case UInt8(ascii: "\""): return pluses == 1 ? place + 1 : nil
            default: return nil
            }
            place += 1
        }
        return nil
    }
}
