/// PNG files that no encoder writes (ISO/IEC 15948).
struct PNGSample {
    var width: UInt32 = 1
    var height: UInt32 = 1
    var depth: UInt8 = 8
    var color: UInt8 = 0
    var interlace: UInt8 = 0
    /// Filter bytes and pixels.
    var rows: [UInt8] = [0, 7]
    /// Before and behind the pixels.
    var before: [(name: String, data: [UInt8])] = []
    var after: [(name: String, data: [UInt8])] = [("IEND", [])]

    var bytes: [UInt8] {
        let header = Self.number(width) + Self.number(height) + [depth, color, 0, 0, interlace]
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + Self.chunk("IHDR", header)
            + before.flatMap { Self.chunk($0.name, $0.data) } + Self.chunk("IDAT", Self.stored(rows))
            + after.flatMap { Self.chunk($0.name, $0.data) }
    }

    static func number(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }

    static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
        let content = Array(name.utf8) + data
        let sum = content.reduce(UInt32.max) { $0 >> 8 ^ table[Int(($0 ^ UInt32($1)) & 0xFF)] }
        return number(UInt32(data.count)) + content + number(~sum)
    }

    /// zlib's format without compression.
    static func stored(_ data: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in data {
            low = (low + UInt32(byte)) % 65521
            high = (high + low) % 65521
        }
        var rest = data[...]
        repeat {
            let block = rest.prefix(65535)
            rest = rest.dropFirst(block.count)
            let count = UInt16(block.count)
            stream += [rest.isEmpty ? 1 : 0, UInt8(truncatingIfNeeded: count), UInt8(count >> 8)]
            stream += [UInt8(truncatingIfNeeded: ~count), UInt8(truncatingIfNeeded: ~count >> 8)] + block
        } while !rest.isEmpty
        return stream + number(high << 16 | low)
    }

    /// zlib's format of so many zeros, in a 160th of their bytes: one zero, and repetitions of 258.
    static func compressedZeros(_ repetitions: Int) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var (bits, count): (UInt32, Int) = (0, 0)
        func write(_ value: UInt32, _ width: Int) {
            bits |= value << UInt32(count)
            count += width
            while count >= 8 {
                stream.append(UInt8(truncatingIfNeeded: bits))
                (bits, count) = (bits >> 8, count - 8)
            }
        }
        // A last block of fixed codes; 00110000 is a zero, 11000101 00000 a repetition at distance one.
        write(0b011, 3)
        write(0b0000_1100, 8)
        for _ in 0..<repetitions { write(0b1010_0011, 13) }
        write(0, 7)
        write(0, (8 - count) % 8)
        return stream + number(UInt32((1 + 258 * repetitions) % 65521) << 16 | 1)
    }
}
