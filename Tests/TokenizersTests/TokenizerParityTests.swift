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
    }

    @Test(arguments: kinds) func givesSameIDsAndTextAsTokenizersLibrary(kind: String) throws {
        let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures")
        try Self.compare(kind, in: folder)
    }

    private static let python = ProcessInfo.processInfo.environment["SUPERMERGE_PYTHON"]

    /// 20,000 texts and vocabularies of 8,000, made anew.
    @Test(.enabled(if: python != nil, "SUPERMERGE_PYTHON names no Python with tokenizers and sentencepiece"))
    func givesSameIDsForManyTexts() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tokenizers-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(filePath: Self.python ?? "")
        process.arguments = [
            root.appending(path: "Tools/make_encoding_fixtures.py").path, folder.path, "--texts", "20000",
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
