import Files
import Foundation
import Testing

@testable import Safetensors

/// Checkpoints whose names have a wrapper's prefix more or less than the base's.
struct FittingTests {
    private func checkpoint(_ names: [String], dtype: SafetensorsDType = .f32) throws -> Checkpoint {
        let path = NSTemporaryDirectory() + "/fitting-\(UUID().uuidString).safetensors"
        defer { try? Durable.remove(path) }
        let slots = names.map { SafetensorsWriter.Slot(name: $0, dtype: dtype, shape: [1]) }
        let writer = try SafetensorsWriter(path: path, slots: slots)
        for place in names.indices {
            try withUnsafeBytes(of: Float(place)) { try writer.append($0) }
        }
        _ = try writer.finish()
        return Checkpoint(try SafetensorsFile(file: ReadableFile(path: path)), name: "model.safetensors")
    }

    private func value(_ name: String, in checkpoint: Checkpoint) throws -> Float {
        var value: Float = -1
        try withUnsafeMutableBytes(of: &value) { try checkpoint.read(name, into: $0) }
        return value
    }

    @Test(arguments: ["model.", "module.", "base_model.model.", "bert."]) func prefixThatIsTooMuch(_ prefix: String)
        throws
    {
        let base = try checkpoint(["a.weight", "b.weight"])
        let fitted = try checkpoint([prefix + "b.weight", prefix + "a.weight", prefix + "head"]).fitted(to: base)
        #expect(fitted.names == ["a.weight", "b.weight", "head"])
        #expect(fitted.entry("a.weight")?.name == "a.weight")
        let (first, second) = try (value("a.weight", in: fitted), value("b.weight", in: fitted))
        #expect(first == 1 && second == 0)
        #expect(fitted.entries(of: fitted.files[0]).map(\.name) == ["b.weight", "a.weight", "head"])
    }

    @Test(arguments: ["model.", "bert."]) func prefixThatIsMissing(_ prefix: String) throws {
        let base = try checkpoint([prefix + "a.weight", prefix + "b.weight"])
        let fitted = try checkpoint(["a.weight", "b.weight", "head"]).fitted(to: base)
        #expect(fitted.names == [prefix + "a.weight", prefix + "b.weight", "head"].sorted())
    }

    @Test func aTowerBesideItsHead() throws {
        let tower = try checkpoint(["embeddings.weight", "layer.0.weight", "layer.1.weight"])
        let names = ["bert.embeddings.weight", "bert.layer.0.weight", "bert.layer.1.weight"]
        let task = try checkpoint(names + ["classifier.weight"])
        #expect(task.fitted(to: tower).names == ["classifier.weight"] + tower.names)
        let bare = try checkpoint(tower.names + ["classifier.weight"])
        #expect(bare.fitted(to: try checkpoint(names)).names == task.names)
    }

    @Test func theNamesThatFindMost() throws {
        let wanted = [["bert.a"], ["bert.b", "bert.c"], ["classifier.weight"]]
        let wrapped = try checkpoint(["module.bert.a", "module.bert.c"])
        #expect(wrapped.fitted(toMost: wanted).names == ["bert.a", "bert.c"])
        #expect(try checkpoint(["a", "b", "classifier.weight"]).fitted(toMost: wanted).names.contains("bert.b"))
        #expect(try checkpoint(["bert.a", "module.bert.a"]).fitted(toMost: wanted).names.contains("module.bert.a"))
        #expect(try checkpoint(["x", "y"]).fitted(toMost: wanted).names == ["x", "y"])
    }

    @Test func namesThatFitAreLeftAlone() throws {
        let base = try checkpoint(["model.a", "model.b"])
        #expect(
            try checkpoint(["model.a", "model.b", "model.model.a"]).fitted(to: base).names.contains("model.model.a"))
    }

    @Test func partOfTheNamesIsNotEnough() throws {
        let base = try checkpoint(["a", "b"])
        #expect(try checkpoint(["module.a", "c"]).fitted(to: base).names == ["c", "module.a"])
    }

    @Test func twoTensorsDoNotBecomeOne() throws {
        let base = try checkpoint(["a", "b"])
        let names = ["a", "module.a", "module.b"]
        #expect(try checkpoint(names).fitted(to: base).names == names)
    }

    @Test func tiedNamesStandForEachOther() throws {
        let base = try checkpoint(["a", "b"])
        let fitted = try checkpoint(["module.a"]).fitted(to: base) { _ in ["a", "b"] }.tying([["a", "b"]])
        #expect(fitted.names == ["a"] && fitted.entry("b")?.name == "a")
    }

    @Test func resizedVocabularyIsExplained() {
        let message = Checkpoint.mismatch(of: "embed", [32, 8], base: [30, 8])
        #expect(message?.contains("32 rows") == true && message?.contains("30") == true)
        #expect(message?.contains("`head`") == false)
        #expect(Checkpoint.mismatch(of: "classifier.weight", [3, 8], base: [2, 8])?.contains("`head`") == true)
        #expect(Checkpoint.mismatch(of: "classifier.bias", [3], base: [2])?.contains("`head`") == true)
        #expect(Checkpoint.mismatch(of: "x", [4, 3], base: [3, 4])?.contains("`head`") == false)
        #expect(Checkpoint.mismatch(of: "x", [4, 3], base: [3, 4])?.contains("[4, 3]") == true)
        #expect(Checkpoint.mismatch(of: "x", [4, 3], base: [4, 3]) == nil)
    }
}
