import Foundation

/// The fixtures of exported graphs, which lie with the tests of ExportedModel.
enum ExportedFixture {
    static let names = ["bert", "clip", "vit", "t5", "llama"]

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "ExportedModelTests/Fixtures").path

    static func path(_ name: String, _ file: String = "") -> String {
        root + "/\(name)" + (file.isEmpty ? "" : "/\(file)")
    }
}
