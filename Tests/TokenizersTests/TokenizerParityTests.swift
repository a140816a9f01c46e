import Foundation
import Testing

@testable import Tokenizers

/// Ids and texts against those of the `tokenizers` library (Tools/make_encoding_fixtures.py), for each kind of file.
@Suite struct TokenizerParityTests {
    static let kinds = [
        "bert-uncased", "bert-cased", "gpt2", "roberta", "llama3", "qwen", "modernbert", "xlm-r", "t5", "deberta-v3",
        "albert",
        "llama2", "gemma", "word-level",
    ]

    private struct Expected: Decodable {
        var ids: [Int]
        var text: String
    }

    private static func compare(_ kind: String, in folder: URL) throws {
        let texts = try JSONDecoder().decode(
            [String].self, from: Data(contentsOf: folder.appending(path: "texts.json")))
        let lines = try String(contentsOf: folder.appending(path: kind + ".ids"), encoding: .utf8)
        let expected = try lines.split(separator: "\n").map {
            try JSONDecoder().decode(Expected.self, from: Data($0.utf8))
        }
        #expect(expected.count == texts.count)
        let tokenizer = try Tokenizer(json: [UInt8](Data(contentsOf: folder.appending(path: kind + ".json"))))
        for (text, wanted) in zip(texts, expected) {
            let ids = try tokenizer.encode(text).ids
            #expect(ids == wanted.ids, "\(kind): \(text.debugDescription)")
            let decoded = tokenizer.decode(wanted.ids)
            #expect(decoded.utf8.elementsEqual(wanted.text.utf8), "\(kind): decoding \(text.debugDescription)")
        }
        try compareOffsets(tokenizer, kind, texts, in: folder)
    }

    private static func compareOffsets(
        _ tokenizer: Tokenizer, _ kind: String, _ texts: [String], in folder: URL
    ) throws {
        let lines = try String(contentsOf: folder.appending(path: kind + ".offsets"), encoding: .utf8)
        let expected = try lines.split(separator: "\n").map {
            try JSONDecoder().decode([Int].self, from: Data($0.utf8))
        }
        try #require(expected.count == texts.count)
        let compared = zip(texts, expected).filter { isStable($0.0, kind) }
        try #require(compared.count > texts.count / 10)
        for (text, wanted) in compared {
            // The space that a token takes with it belongs to it here.
            if kind == "roberta", text.contains(" <mask>") { continue }
            let located = try tokenizer.locatedTokens(of: text)
            #expect(located.map(\.id) == (try tokenizer.ids(of: text)), "\(kind): \(text.debugDescription)")
            // Bytes to characters.
            var characters = [0]
            for (index, scalar) in text.unicodeScalars.enumerated() {
                characters += Array(repeating: index + 1, count: String(Character(scalar)).utf8.count)
            }
            let offsets = located.flatMap { [characters[$0.range.lowerBound], characters[$0.range.upperBound]] }
            #expect(offsets == wanted, "\(kind): offsets of \(text.debugDescription)")
        }
    }

    private static let composing: Set = ["qwen", "modernbert"]
    private static let compatible: Set = ["xlm-r", "t5", "deberta-v3", "albert"]

    /// Whether the normalisation of a kind leaves a text as it is. The library gives what one makes of several
    /// characters, or drops, a part of these as its place; here it has all of them.
    private static func isStable(_ text: String, _ kind: String) -> Bool {
        guard composing.contains(kind) || compatible.contains(kind) else { return true }
        let isCompatible = compatible.contains(kind)
        let normal =
            isCompatible ? text.precomposedStringWithCompatibilityMapping : text.precomposedStringWithCanonicalMapping
        guard normal.unicodeScalars.elementsEqual(text.unicodeScalars) else { return false }
        guard !text.unicodeScalars.contains(where: { $0.properties.canonicalCombiningClass != .notReordered }) else {
            return false
        }
        guard isCompatible else { return true }
        let isPlain = text.unicodeScalars.allSatisfy {
            switch $0.properties.generalCategory {
            case .control, .format, .unassigned, .privateUse, .surrogate, .nonspacingMark, .spacingMark: false
            default: true
            }
        }
        return isPlain && !text.contains("  ") && text.first != " " && text.last != " "
    }

    @Test(arguments: kinds) func givesSameIDsAndTextAsTokenizersLibrary(kind: String) throws {
        let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures")
        try Self.compare(kind, in: folder)
    }

    private static let python = ProcessInfo.processInfo.environment["SUPERMERGE_PYTHON"]

    /// 2,000 texts and vocabularies of 8,000, made anew.
    @Test(.enabled(if: python != nil, "SUPERMERGE_PYTHON names no Python with tokenizers and sentencepiece"))
    func givesSameIDsForManyTexts() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tokenizers-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(filePath: Self.python ?? "")
        process.arguments = [
            root.appending(path: "Tools/make_encoding_fixtures.py").path, folder.path, "--texts", "2000",
            "--vocabulary", "8000",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        for kind in Self.kinds { try Self.compare(kind, in: folder) }
    }
}
