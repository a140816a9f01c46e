import Testing

@testable import WorkerProtocol

/// The key under which encoded examples are cached.
@Suite struct ExampleRequestTests {
    private static let request = ExampleRequest(
        task: .init(path: "/t", root: "/"), base: .init(path: "/b", root: "/"),
        examples: SourceFile(name: "validation.jsonl", bytes: 1, sha256: "e"),
        images: [SourceFile(name: "validation/a.png", bytes: 1, sha256: "i")],
        tokenizer: [SourceFile(name: "tokenizer.json", bytes: 1, sha256: "t")],
        encoding: ExampleEncoding(TaskSettings(), classes: ["a", "b"], inputs: [.init(name: "input_ids")]), output: "/o"
    )

    private static let changes: [@Sendable (inout ExampleRequest) -> Void] = [
        { $0.examples.sha256 = "f" }, { $0.examples.name = "validation.csv" }, { $0.tokenizer[0].sha256 = "u" },
        { $0.encoding.classes = ["b", "a"] }, { $0.encoding.columns = ["text": "review"] },
        { $0.encoding.maximumLength = 8 }, { $0.encoding.objective = .regression }, { $0.encoding.version += 1 },
        { $0.encoding.inputs[0].width = 4 }, { $0.images[0].sha256 = "j" }, { $0.images.removeAll() },
        { $0.encoding.image = .init(name: "pixel_values") },
    ]

    @Test(arguments: changes.indices) func everyInputOfTheEncodingChangesTheKey(index: Int) {
        var changed = Self.request
        Self.changes[index](&changed)
        #expect(changed.key != Self.request.key)
    }

    @Test func placesDoNotChangeTheKey() {
        var moved = Self.request
        (moved.task.path, moved.base.path, moved.output) = ("/x", "/y", "/z")
        moved.tokenizer[0].stamp = "1"
        #expect(moved.key == Self.request.key)
    }

    @Test(arguments: [
        ("validation/a.png", true), ("images/cats/a.JPEG", true), ("validation/a.jpg", true), ("a.png", false),
        ("validation/metadata.csv", false), ("validation/.png", false), ("other/a.png", false),
        ("validation/a/b/c.png", false),
    ])
    func knowsImagesByTheirPaths(path: String, isImage: Bool) {
        #expect(ExampleFiles.isImage(path) == isImage)
    }
}
