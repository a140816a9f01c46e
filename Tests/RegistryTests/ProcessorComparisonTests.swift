import Foundation
import Testing

@testable import Tasks

/// Inputs are prepared as the base's files say: a task that prepared them otherwise is refused.
@Suite struct ProcessorComparisonTests {
    private static let base = """
        {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size": {"height": 224, "width": 224},
        "do_normalize": true, "do_center_crop": false, "crop_size": 224, "resample": 2, "rescale_factor": 0.00392}
        """

    private func scan(_ files: [String: String], base: [String: String]) async throws -> (
        code: String?, message: String, warnings: [String]
    ) {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask()
        for (name, text) in base { try registry.write("base/" + name, Array(text.utf8)) }
        for (name, text) in files { try registry.write("tasks/t/" + name, Array(text.utf8)) }
        let task = try await registry.settledScan().tasks["t"]
        return (task?.refusal?.code, task?.refusal?.message ?? "", task?.content?.source.warnings ?? [])
    }

    @Test(arguments: [
        ("0.5, 0.5, 0.5], \"image_std", "0.485, 0.456, 0.406], \"image_std", "`image_mean` is [0.485, 0.456, 0.406]"),
        ("\"height\": 224", "\"height\": 384", "`size` is height 384, width 224"),
        ("\"do_normalize\": true", "\"do_normalize\": false", "`do_normalize`"),
        ("\"resample\": 2", "\"resample\": 3", "`resample` is 3, the base's 2"),
    ]) func refusesOtherInputs(_ part: String, _ other: String, _ named: String) async throws {
        let own = Self.base.replacing(part, with: other)
        let name = "preprocessor_config.json"
        let found = try await scan([name: own], base: [name: Self.base])
        #expect(found.code == "configuration-differs" && found.message.contains(named), "\(found)")
    }

    @Test(arguments: [
        ("\"crop_size\": 224", "\"crop_size\": 256"), ("{\"height\": 224, \"width\": 224}", "224"),
        ("\"resample\": 2", "\"resample\": 2.0, \"image_processor_type\": \"ViTImageProcessorFast\""),
        ("\"crop_size\": 224", "\"crop_size\": null"), ("0.00392}", "0.003920001}"), (", \"resample\": 2", ""),
    ]) func takesWhatMeansTheSame(_ part: String, _ other: String) async throws {
        let own = Self.base.replacing(part, with: other)
        let found = try await scan(
            ["preprocessor_config.json": own], base: ["preprocessor_config.json": Self.base])
        #expect(found.code == nil && found.warnings == [], "\(found)")
    }

    @Test func readsTheJointFileOfNewerLibraries() async throws {
        let joint = { (text: String) in "{\"processor_class\": \"X\", \"image_processor\": \(text)}" }
        let base = ["preprocessor_config.json": Self.base]
        #expect(try await scan(["processor_config.json": joint(Self.base)], base: base).code == nil)
        let other = Self.base.replacing("\"height\": 224", with: "\"height\": 384")
        #expect(try await scan(["processor_config.json": joint(other)], base: base).code == "configuration-differs")
        #expect(
            try await scan(["processor_config.json": joint(other)], base: ["processor_config.json": joint(Self.base)])
                .code == "configuration-differs")
    }

    @Test func warnsOfOtherBoundsOfPixels() async throws {
        let name = "preprocessor_config.json"
        let old = try await scan([name: #"{"max_pixels": 1003520}"#], base: [name: #"{"max_pixels": 12845056}"#])
        #expect(old.code == nil && old.warnings.count == 1 && old.warnings[0].contains("`max_pixels`"), "\(old)")
        let new = try await scan(
            [name: #"{"size": {"shortest_edge": 3136, "longest_edge": 1003520}}"#],
            base: [name: #"{"size": {"shortest_edge": 3136, "longest_edge": 12845056}}"#])
        #expect(new.code == nil && new.warnings.count == 1 && new.warnings[0].contains("1003520"), "\(new)")
    }

    @Test func comparesSounds() async throws {
        let name = "preprocessor_config.json"
        let found = try await scan([name: #"{"sampling_rate": 8000}"#], base: [name: #"{"sampling_rate": 16000}"#])
        #expect(found.code == "configuration-differs")
    }
}
