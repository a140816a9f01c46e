import Testing

@testable import Examples

/// PNG files that are made to take memory or to show something else: what Pillow shows, or a refusal.
@Suite struct PNGAttackTests {
    private func outcome(_ bytes: [UInt8]) -> String {
        do {
            let image = try ImageFile.decode(bytes)
            return "\(image.width)x\(image.height) \(image.pixels.prefix(12))"
        } catch {
            return "\(error)"
        }
    }

    private static let plain = PNGSample().bytes
    private static let palette: [UInt8] = [10, 20, 30, 40, 50, 60]

    @Test(arguments: [
        (
            "huge size", PNGSample(width: 100_000, height: 100_000).bytes,
            "has 100000 × 100000 pixels; expected at most 64 Mi"
        ),
        (
            "largest size", PNGSample(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF, depth: 16, color: 6).bytes,
            "has 2147483647 ×"
        ),
        ("one long row", PNGSample(width: 1 << 30).bytes, "has 1073741824 × 1 pixels"),
        ("size beyond the format", PNGSample(width: 0xFFFF_FFFF).bytes, "is damaged"),
        ("no width", PNGSample(width: 0).bytes, "is damaged"), ("no height", PNGSample(height: 0).bytes, "is damaged"),
        ("pixels cut off", PNGSample(height: 9, rows: [0, 7, 0, 7]).bytes, "is damaged"),
        ("file cut off", Array(plain.dropLast(20)), "is damaged (the file ends too early)"),
        ("no end", PNGSample(after: []).bytes, "is damaged (the file ends too early)"),
        ("wrong checksum of pixels", plain.map { $0 == 7 ? 8 : $0 }, "is damaged (IDAT"),
        ("interlaced, and too few rows", PNGSample(width: 9, height: 9, interlace: 1).bytes, "is damaged"),
        ("depth of three", PNGSample(depth: 3).bytes, "is damaged"),
        ("filter of nine", PNGSample(rows: [9, 7]).bytes, "is damaged"),
        ("palette that is not there", PNGSample(color: 3).bytes, "is damaged"),
        ("palette of two bytes", PNGSample(color: 3, before: [("PLTE", [1, 2])]).bytes, "is damaged"),
        (
            "chunk longer than the file", Array(plain.prefix(33)) + [0x7F, 0xFF, 0xFF, 0xFF] + Array("tEXt".utf8),
            "is damaged"
        ),
        ("two headers", PNGSample(before: [("IHDR", [0, 0, 0, 9, 0, 0, 0, 9, 8, 0, 0, 0, 0])]).bytes, "is damaged"),
        ("critical chunk that is not known", PNGSample(before: [("ABCD", [1])]).bytes, "is damaged"),
    ]) func refuses(attack: String, bytes: [UInt8], reason: String) {
        let found = outcome(bytes)
        #expect(found.hasPrefix(reason), "\(attack): \(found)")
    }

    /// Pixels as Pillow 13 gives them.
    @Test(arguments: [
        (
            "index beyond the palette",
            PNGSample(width: 3, color: 3, rows: [0, 0, 1, 3], before: [("PLTE", palette)]).bytes,
            "3x1 [10, 20, 30, 40, 50, 60, 0, 0, 0]"
        ),
        (
            "16 bits of colour", PNGSample(depth: 16, color: 2, rows: [0, 18, 255, 52, 0, 86, 0]).bytes,
            "1x1 [18, 52, 86]"
        ),
        (
            "16 bits of grey", PNGSample(width: 2, depth: 16, rows: [0, 18, 52, 0, 86]).bytes,
            "2x1 [255, 255, 255, 86, 86, 86]"
        ),
        (
            "16 bits and transparency", PNGSample(depth: 16, color: 4, rows: [0, 18, 255, 52, 0]).bytes,
            "1x1 [18, 18, 18]"
        ),
        ("interlaced", PNGSample(interlace: 1).bytes, "1x1 [7, 7, 7]"),
        ("animated", animated, "1x1 [7, 7, 7]"), ("transparent", transparent, "1x1 [64, 65, 66]"),
        ("gamma", PNGSample(before: [("gAMA", PNGSample.number(10_000))]).bytes, "1x1 [7, 7, 7]"),
        ("data behind the end", plain + [UInt8](repeating: 1, count: 1000), "1x1 [7, 7, 7]"),
        ("more pixels than its size", PNGSample(rows: [0, 7, 0, 9, 0, 9]).bytes, "1x1 [7, 7, 7]"),
    ]) func decodesAsPillowDoes(attack: String, bytes: [UInt8], wanted: String) {
        #expect(outcome(bytes) == wanted, "\(attack)")
    }

    private static let animated = PNGSample(
        before: [
            ("acTL", PNGSample.number(9999) + PNGSample.number(0)),
            (
                "fcTL",
                PNGSample.number(0) + PNGSample.number(1) + PNGSample.number(1) + [UInt8](repeating: 0, count: 14)
            ),
        ],
        after: [("fdAT", PNGSample.number(1) + PNGSample.stored([0, 9])), ("IEND", [])]
    ).bytes
    private static let transparent = PNGSample(
        color: 6, rows: [0, 64, 65, 66, 0], before: [("bKGD", [0, 1, 0, 2, 0, 3])]
    ).bytes

    /// 32 MiB of profile, and a hundred texts of 2 MiB: nothing of them is unpacked.
    @Test func skipsBombsBesideThePixels() {
        let profile = Array("p\0\0".utf8) + PNGSample.compressedZeros(1 << 17)
        let text = ("zTXt", Array("k\0\0".utf8) + PNGSample.compressedZeros(1 << 13))
        let texts = Array(repeating: text, count: 100)
        #expect(outcome(PNGSample(before: [("iCCP", profile)]).bytes) == "1x1 [7, 7, 7]")
        #expect(outcome(PNGSample(before: texts).bytes) == "1x1 [7, 7, 7]")
        let empty = Array(repeating: (name: "tEXt", data: Array("k\0".utf8)), count: 10_000)
        #expect(outcome(PNGSample(before: empty).bytes) == "1x1 [7, 7, 7]")
    }

    /// 64 MiB of zeros in the place of one pixel: what is more than its size is not unpacked.
    @Test func unpacksNoMorePixelsThanItsSize() {
        let bomb = PNGSample.chunk("IDAT", PNGSample.compressedZeros(1 << 18))
        let bytes = PNGSample.chunk("IHDR", PNGSample.number(1) + PNGSample.number(1) + [8, 0, 0, 0, 0]) + bomb
        #expect(outcome(Array(Self.plain.prefix(8)) + bytes + PNGSample.chunk("IEND", [])) == "1x1 [0, 0, 0]")
    }

    @Test(arguments: [
        ("GIF89a", "is a GIF image"), ("RIFF\0\0\0\0WEBP", "is a WebP image"), ("<!DOCTYPE html>", "is a web page"),
        ("version https://git-lfs.github.com/spec/v1", "is a Git LFS pointer"), ("", "is empty"),
        ("PK\u{3}\u{4}", "is a zip"),
    ]) func namesWhatIsNoImage(start: String, reason: String) {
        #expect(outcome(Array(start.utf8)).hasPrefix(reason))
    }
}
