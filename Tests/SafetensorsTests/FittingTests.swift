import Testing

@testable import Safetensors

/// Checkpoints whose names have a wrapper's prefix more or less than the base's.
struct FittingTests {
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

    /// What compiled, distributed and adapted models write, one wrapper in another; `bert.` is a tower's.
    @Test(arguments: [
        "module._orig_mod.", "_orig_mod.module.", "model.module.", "base_model.model.module.",
        "model._orig_mod.module.", "module._orig_mod.base_model.model.", "module._orig_mod.bert.",
        "_orig_mod.model.bert.",
    ]) func wrappersInWrappers(_ prefix: String) throws {
        let base = try checkpoint(["a.weight", "b.weight"])
        let wrapped = [prefix + "b.weight", prefix + "a.weight"]
        let fitted = try checkpoint(wrapped + [prefix + "head"]).fitted(to: base)
        #expect(fitted.names == ["a.weight", "b.weight", "head"])
        let (first, second) = try (value("a.weight", in: fitted), value("b.weight", in: fitted))
        #expect(first == 1 && second == 0)
        let most = try checkpoint(wrapped).fitted(toMost: base.names.map { [$0] })
        #expect(most.names == base.names)
    }

    @Test(arguments: ["module._orig_mod.", "_orig_mod.module.", "base_model.model.module."])
    func wrappersOfTheBaseAlone(_ prefix: String) throws {
        let base = try checkpoint([prefix + "a.weight", prefix + "b.weight"])
        #expect(try checkpoint(["a.weight", "b.weight"]).fitted(to: base).names == base.names)
        let wrapped = try checkpoint(["model.a.weight", "model.b.weight"])
        #expect(wrapped.fitted(to: base).names == base.names)
    }

    @Test func aWrappedTowerOfAWholeModel() throws {
        let whole = try checkpoint(["bert.a.weight", "bert.b.weight", "cls.weight"])
        let names = ["a.weight", "b.weight", "cls.weight"]
        let tower = try checkpoint(names.map { "module._orig_mod." + $0 })
        #expect(tower.fitted(to: whole).names == whole.names)
    }

    /// The first part of Llama's own names is a wrapper's elsewhere.
    @Test func noMoreIsDroppedThanNeeded() throws {
        let base = try checkpoint(["lm_head.weight", "model.layers.0.weight"])
        let wrapped = try checkpoint(["module._orig_mod.lm_head.weight", "module._orig_mod.model.layers.0.weight"])
        #expect(wrapped.fitted(to: base).names == base.names)
    }

    @Test func namesOfNothingButWrappersEnd() throws {
        let deep = String(repeating: "model.module._orig_mod.base_model.", count: 8)
        let names = (0..<200).map { "\(deep)\($0).weight" }
        let base = try checkpoint(["a.weight", "b.weight"])
        #expect(try checkpoint(names).fitted(to: base).names == names.sorted())
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
