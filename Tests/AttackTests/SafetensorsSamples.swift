import Attacks
import Files
import Foundation
import Reliability
import Safetensors

/// What a file holds, in the words in which two parsers are compared.
enum SafetensorsContent {
    /// Every tensor's name in hexadecimal, element type, shape, and SHA-256 of its bytes, sorted.
    static func text(_ path: String) throws -> String {
        let file = try SafetensorsFile(file: ReadableFile(path: path))
        return try file.entries.map { entry in
            var bytes = [UInt8](repeating: 0, count: entry.bytes.count)
            try bytes.withUnsafeMutableBytes { try file.read(entry, into: $0) }
            let name = entry.name.utf8.map { String(format: "%02x", $0) }.joined()
            let shape = entry.shape.map(String.init).joined(separator: "x")
            return "\(name):\(entry.dtype.rawValue):\(shape):\(Digest.sha256(bytes))"
        }.sorted().joined(separator: ";")
    }
}

/// Files for two parsers of safetensors.
enum SafetensorsSamples {
    /// The whole files and the headers of the corpus, and mutations of both.
    static func attacks() throws -> [[UInt8]] {
        var random = SplitMix64(seed: 42)
        var files: [[UInt8]] = []
        for sample in CorpusTests.samples() where [.safetensors, .header].contains(sample.attack) {
            let bytes = Array(try Data(contentsOf: URL(filePath: sample.path)))
            let whole = sample.attack == .header ? Attack.file(around: bytes) : bytes
            files.append(whole)
            for _ in 0..<30 where whole.count > 9 && whole.count < 1 << 12 {
                var changed = whole
                for _ in 0...Int.random(in: 0..<2, using: &random) {
                    changed[Int.random(in: 8..<changed.count, using: &random)] =
                        Array(#"{}[]",:0129ae\ tu"#.utf8).randomElement(using: &random) ?? 0
                }
                files.append(changed)
            }
        }
        return files
    }

    /// Whole files of up to six tensors: any names, element types and shapes, entries in any order, white space,
    /// escapes, metadata.
    static func whole(_ count: Int) -> [[UInt8]] {
        var random = SplitMix64(seed: 7)
        return (0..<count).map { _ in whole(&random) }
    }

    private static func whole(_ random: inout SplitMix64) -> [UInt8] {
        let spaces = ["", "", " ", "\n", "\t "]
        func space() -> String { spaces.randomElement(using: &random) ?? "" }
        var (offset, entries) = (0, [String]())
        for number in 0..<Int.random(in: 0...6, using: &random) {
            let dtype = SafetensorsDType.allCases.randomElement(using: &random) ?? .f32
            let shape = (0..<Int.random(in: 0...3, using: &random)).map { _ in Int.random(in: 0...4, using: &random) }
            let end = offset + shape.reduce(1, *) * dtype.byteCount
            let name = ["w", "größe", "数据", #"\u0077"#, #"a\\b"#, "e\u{301}"].randomElement(using: &random) ?? "w"
            let fields = [
                #""dtype"\#(space()):"\#(dtype.rawValue)""#,
                #""shape":\#(space())[\#(shape.map(String.init).joined(separator: ","))]"#,
                #""data_offsets":[\#(offset),\#(space())\#(end)]"#,
            ].shuffled(using: &random)
            entries.append(#""\#(name)\#(number)":{\#(fields.joined(separator: "," + space()))}"#)
            offset = end
        }
        if Bool.random(using: &random) { entries.append(#""__metadata__":{"format":"pt"}"#) }
        entries.shuffle(using: &random)
        let header = Array(
            "{\(entries.joined(separator: space() + ","))}\(Bool.random(using: &random) ? "   " : "")".utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        return length + header + (0..<offset).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
}
