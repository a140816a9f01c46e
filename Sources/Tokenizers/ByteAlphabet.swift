/// GPT-2's printable stand-ins for the 256 bytes: printable Latin-1 characters stand for themselves, the others for
/// U+0100 on.
enum ByteAlphabet {
    /// Byte → character.
    static let scalars: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (0...255).map { byte -> Unicode.Scalar in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(UInt8(byte))
            default:
                defer { next += 1 }
                return Unicode.Scalar(next) ?? " "
            }
        }
    }()

    /// Byte → UTF-8 of its character.
    static let utf8: [[UInt8]] = scalars.map { Array(String(Character($0)).utf8) }

    private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
        uniqueKeysWithValues: scalars.enumerated().map { ($1, UInt8($0)) })

    static func encode(_ bytes: ArraySlice<UInt8>) -> String {
        var result = String.UnicodeScalarView()
        for byte in bytes { result.append(scalars[Int(byte)]) }
        return String(result)
    }

    static func encoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 4)
        for byte in bytes { result += utf8[Int(byte)] }
        return result
    }

    /// The bytes that a token stands for; characters outside the alphabet as they are.
    static func decoded(_ token: String) -> [UInt8] {
        token.unicodeScalars.flatMap { scalar in bytes[scalar].map { [$0] } ?? Array(String(Character(scalar)).utf8) }
    }
}
