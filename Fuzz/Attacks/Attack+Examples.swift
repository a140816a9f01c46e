internal import Examples
internal import Files
internal import Tokenizers

extension Attack {
    private struct NoText: Error {}

    /// Lines go up, and rows of CSV have the columns of the first.
    static func check(_ table: ExampleTable) throws {
        guard zip(table.rows, table.rows.dropFirst()).allSatisfy({ $0.line < $1.line }) else {
            throw Broken(description: "lines out of order")
        }
        guard table.file.hasSuffix(".csv"), let first = table.rows.first else { return }
        guard table.rows.allSatisfy({ $0.values.keys == first.values.keys }) else {
            throw Broken(description: "rows of different columns")
        }
    }

    /// No encoding is longer than what was asked for.
    static func encode(_ tokenizer: Tokenizer) throws {
        let text = "Ein kleiner Test: naïve 世界 🌍 \u{301}\u{0} <s> aaaaaaaa\n\t 12,345"
        let whole = try tokenizer.encode(text, addsSpecialTokens: false, maximum: .max)
        let cut = try tokenizer.encode(text, pair: text, addsSpecialTokens: false, maximum: 7)
        guard cut.ids.count <= 7, whole.ids.count == whole.types.count else {
            throw Broken(description: "\(cut.ids.count) tokens where 7 were asked for")
        }
        _ = tokenizer.decode(whole.ids)
    }

    static func render(_ bytes: [UInt8]) throws {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw NoText() }
        let template = try ChatTemplate(text, tokens: ["bos_token": "<s>", "eos_token": "</s>"])
        let turns: [JSONValue] = [
            .object(["role": "system", "content": "be brief"]), .object(["role": "user", "content": " a\nb "]),
            .object(["role": "assistant", "content": "c"]),
        ]
        _ = try template.text(of: turns, addsPrompt: true)
    }

    /// Most pixels of an image here, so that decoding takes no time.
    private static let pixels = 1 << 18

    /// An image has as many values as its size says, also at another size.
    static func decode(_ bytes: [UInt8]) throws {
        let image = try ImageFile.decode(bytes, limit: pixels)
        let resized = image.resized(width: 5, height: 3, .bicubic).centerCropped(width: 4, height: 6)
        guard image.pixels.count == 3 * image.width * image.height, image.width * image.height <= pixels,
            resized.pixels.count == 3 * 4 * 6
        else {
            throw Broken(description: "\(image.pixels.count) values of \(image.width) × \(image.height) pixels")
        }
    }

    /// A wrong checksum would hide every other fault from the fuzzer.
    static func decodePNG(_ bytes: [UInt8]) throws {
        let corrected = corrected(bytes)
        if corrected != bytes { _ = try? ImageFile.decode(corrected, limit: pixels) }
        try decode(bytes)
    }

    /// The file with the right checksum behind each chunk.
    private static func corrected(_ bytes: [UInt8]) -> [UInt8] {
        var (corrected, position) = (bytes, 8)
        while position + 12 <= bytes.count {
            let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= bytes.count - position - 12 else { break }
            var sum: UInt32 = .max
            for byte in bytes[position + 4..<position + 8 + length] {
                sum ^= UInt32(byte)
                for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
            }
            for index in 0..<4 {
                corrected[position + 8 + length + index] = UInt8(truncatingIfNeeded: ~sum >> (24 - 8 * UInt32(index)))
            }
            position += 12 + length
        }
        return corrected
    }
}
