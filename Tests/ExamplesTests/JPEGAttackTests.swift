import Foundation
import Testing

@testable import Examples

/// JPEG files that are made to take time or memory: what Pillow shows, or a refusal.
@Suite struct JPEGAttackTests {
    private func outcome(_ bytes: [UInt8]) -> String {
        do {
            let image = try ImageFile.decode(bytes)
            return "\(image.width)x\(image.height) \(image.pixels.prefix(6))"
        } catch {
            return "\(error)"
        }
    }

    private static func sample(_ name: String) throws -> [UInt8] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return Array(try Data(contentsOf: root.appending(path: "Fuzz/Corpus/jpeg/accepted/\(name)")))
    }

    /// Where a segment's marker is.
    private static func place(_ marker: UInt8, in bytes: [UInt8]) throws -> Int {
        try #require(bytes.indices.dropLast().first { bytes[$0] == 0xFF && bytes[$0 + 1] == marker })
    }

    /// The grey sample with bytes of its frame header changed, by their offset from the marker.
    private static func frame(_ changes: [Int: UInt8]) throws -> [UInt8] {
        var bytes = try sample("grey")
        let start = try place(0xC0, in: bytes)
        for (offset, value) in changes { bytes[start + offset] = value }
        return bytes
    }

    @Test(
        arguments: [
            ("huge size", [5: 0xFF, 6: 0xDC, 7: 0xFF, 8: 0xDC], "has 65500 × 65500 pixels; expected at most 64 Mi"),
            ("no height", [5: 0, 6: 0], "is damaged"), ("no width", [7: 0, 8: 0], "is damaged"),
            ("12 bits", [4: 12], "is of a kind that is not read (Unsupported JPEG data precision 12)"),
            ("lossless", [1: 0xC3], "is of a kind that is not read"),
            ("hierarchical", [1: 0xC5], "is of a kind that is not read"),
            ("two components", [9: 2], "is damaged"), ("sampling of zero", [11: 0], "is damaged"),
            ("sampling of fifteen", [11: 0xFF], "is damaged"), ("table that is not there", [12: 3], "is damaged"),
        ] as [(String, [Int: UInt8], String)]) func refusesFrame(attack: String, changes: [Int: UInt8], reason: String)
        throws
    {
        let found = outcome(try Self.frame(changes))
        #expect(found.hasPrefix(reason), "\(attack): \(found)")
    }

    @Test func refusesScansThatRepeatEachOther() throws {
        let bytes = try Self.sample("progressive")
        let scan = try Self.place(0xDA, in: bytes)
        let next = try #require(
            bytes.indices.dropLast().first { $0 > scan + 2 && bytes[$0] == 0xFF && ![0, 0xFF].contains(bytes[$0 + 1]) })
        let many = Array(repeating: bytes[scan..<next], count: 200).flatMap(\.self)
        let found = outcome(bytes[..<next] + many + bytes[next...])
        #expect(found.hasPrefix("is damaged (Inconsistent progression sequence"), "\(found)")
    }

    @Test func refusesFilesThatAreCutOff() throws {
        let bytes = try Self.sample("grey")
        for count in [4, 20, 60, bytes.count / 2, bytes.count - 20] {
            let found = outcome(Array(bytes.prefix(count)))
            #expect(found.hasPrefix("is damaged"), "\(count) bytes: \(found)")
        }
        let scan = try Self.place(0xDA, in: bytes)
        #expect(outcome(bytes[..<scan] + [0xFF, 0xD9]).hasPrefix("is damaged"))
        #expect(outcome([0xFF, 0xD8, 0xFF, 0xD9]).hasPrefix("is damaged"))
        #expect(outcome([0xFF, 0xD8] + [UInt8](repeating: 0xFF, count: 1 << 20)).hasPrefix("is damaged"))
    }

    @Test func decodesArithmeticCodingAsPillowDoes() throws {
        let text =
            "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAx"
            + "NDQ0Hyc5PTgyPC4zNDL/yQALCAAIAAgBAREA/8wABgAQEAX/2gAIAQEAAD8A/s2/R86pf9Zg/9k="
        let bytes = Array(try #require(Data(base64Encoded: text)))
        let image = try ImageFile.decode(bytes)
        #expect(stride(from: 0, to: 30, by: 3).map { image.pixels[$0] } == [1, 1, 2, 3, 5, 6, 7, 7, 29, 29])
    }

    /// An orientation that is none, that lies outside, or whose directory has no end: the image stays as it is. One
    /// that is one is followed, as transformers' `load_image` does.
    @Test func readsOrientationWithinItsSegment() throws {
        let whole = try Self.sample("grey")
        let segment = try Self.place(0xE1, in: whole)
        let length = Int(whole[segment + 2]) << 8 | Int(whole[segment + 3])
        let plain = Array(whole[..<segment] + whole[(segment + 2 + length)...])
        let upright = try ImageFile.decode(plain)
        #expect(try ImageFile.decode(whole).pixels == upright.turned(.turnedLeft).pixels)
        // TIFF, big-endian: the directory's place and count, the tag, its type, its count and value.
        func turned(_ place: [UInt8], _ count: [UInt8], _ value: [UInt8]) -> [UInt8] {
            let tiff = Array("Exif\0\0MM\0*".utf8) + place + count + [1, 0x12, 0, 3, 0, 0, 0, 1] + value
            return plain[..<2] + [0xFF, 0xE1, 0, UInt8(tiff.count + 2)] + tiff + plain[2...]
        }
        for (place, count, value) in [
            ([0, 0, 0, 8], [0, 1], [0, 9, 0, 0]), ([0, 0, 0, 8], [0, 1], [0, 0, 0, 0]),
            ([0xFF, 0xFF, 0xFF, 0xFF], [0, 1], [0, 6, 0, 0]), ([0, 0, 0, 8], [0xFF, 0xFF], [0xFF, 0, 0, 0]),
            ([0x7F, 0xFF, 0xFF, 0xFE], [0, 1], [0, 6, 0, 0]), ([0, 0, 0, 0], [0, 1], [0, 6, 0, 0]),
        ] as [([UInt8], [UInt8], [UInt8])] {
            #expect(try ImageFile.decode(turned(place, count, value)) == upright, "\(place) \(count) \(value)")
        }
        #expect(try ImageFile.decode(turned([0, 0, 0, 8], [0, 1], [0, 6, 0, 0])) != upright)
    }

    @Test func takesManySegmentsAndDataBehindTheEnd() throws {
        let bytes = try Self.sample("grey")
        let comment: [UInt8] = [0xFF, 0xFE, 0, 3, 7]
        let comments = Array(repeating: comment, count: 5_000).flatMap(\.self)
        let same = outcome(bytes)
        #expect(outcome(bytes[..<2] + comments + bytes[2...]) == same)
        #expect(outcome(bytes + [UInt8](repeating: 0xFF, count: 1000)) == same)
    }
}
