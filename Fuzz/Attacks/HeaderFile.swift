/// A safetensors file around any header.
enum HeaderFile {
    private static let mostData = 64 << 10

    /// The header's length, the header, and as many zeros as its last number says: in a whole header that is where its
    /// last tensor ends.
    static func bytes(_ header: [UInt8]) -> [UInt8] {
        let length = UInt64(header.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + header
            + [UInt8](repeating: 0, count: min(lastNumber(header), mostData))
    }

    private static func lastNumber(_ text: [UInt8]) -> Int {
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
        guard let end = text.lastIndex(where: isDigit) else { return 0 }
        let start = text[..<end].lastIndex { !isDigit($0) }.map { $0 + 1 } ?? 0
        return Int(String(decoding: text[start...end], as: UTF8.self)) ?? mostData
    }
}
