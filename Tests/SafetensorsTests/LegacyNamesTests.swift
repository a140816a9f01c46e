import Testing

@testable import Safetensors

/// Checkpoints whose norms have the names of 2018.
struct LegacyNamesTests {
    @Test(arguments: [
        ("bert.embeddings.LayerNorm.gamma", "bert.embeddings.LayerNorm.weight"),
        ("bert.embeddings.LayerNorm.beta", "bert.embeddings.LayerNorm.bias"),
        ("LayerNorm.gamma", "LayerNorm.weight"), ("layers.0.layer_scale.gamma", "layers.0.layer_scale.gamma"),
        ("LayerNorm.gamma.weight", "LayerNorm.gamma.weight"), ("gamma", "gamma"),
    ]) func onlyThoseThatTransformersRenames(_ name: String, _ today: String) {
        #expect(LegacyNames.modern(name) == today)
    }

    @Test func aCheckpointHasTheNamesOfTodayAndKnowsItsOwn() throws {
        let old = try checkpoint(["a.LayerNorm.beta", "a.LayerNorm.gamma", "b.LayerNorm.weight", "c.weight"])
        #expect(old.names == ["a.LayerNorm.bias", "a.LayerNorm.weight", "b.LayerNorm.weight", "c.weight"])
        #expect(old.entry("a.LayerNorm.gamma") == nil && old.entry("a.LayerNorm.weight")?.name == "a.LayerNorm.weight")
        let (bias, weight) = try (value("a.LayerNorm.bias", in: old), value("a.LayerNorm.weight", in: old))
        #expect(bias == 0 && weight == 1)
        #expect(old.names.map(old.storedName) == old.files[0].entries.map(\.name))
        #expect(old.entries(of: old.files[0]).map(\.name) == old.names)
    }

    @Test func prefixesAreFittedOnTop() throws {
        let base = try checkpoint(["bert.LayerNorm.gamma", "bert.dense.weight"])
        let task = try checkpoint(["LayerNorm.weight", "dense.weight"]).fitted(to: base)
        #expect(task.names == base.names && task.storedName("bert.LayerNorm.weight") == "LayerNorm.weight")
        let old = try checkpoint(["module.bert.LayerNorm.gamma", "module.bert.dense.weight"]).fitted(to: base)
        #expect(old.names == base.names && old.storedName("bert.LayerNorm.weight") == "module.bert.LayerNorm.gamma")
        #expect(try value("bert.LayerNorm.weight", in: old) == 0)
    }

    @Test func anOlderEndingIsKnownBehindAnyPrefix() throws {
        let base = try checkpoint(["bert.LayerNorm.gamma", "bert.dense.weight"])
        let task = try checkpoint(["module.bert.LayerNorm.gamma", "module.bert.dense.weight"]).fitted(to: base)
        #expect(task.names.map(task.olderName) == ["bert.LayerNorm.gamma", "bert.dense.weight"])
        let today = try checkpoint(["LayerNorm.weight", "dense.weight"]).fitted(to: base)
        #expect(today.names.map(today.olderName) == ["bert.LayerNorm.weight", "bert.dense.weight"])
    }

    @Test func whereBothNamesAreThereEachKeepsItsOwn() throws {
        let both = try checkpoint(["LayerNorm.gamma", "LayerNorm.weight"])
        #expect(both.names == ["LayerNorm.gamma", "LayerNorm.weight"])
        #expect(try value("LayerNorm.weight", in: both) == 1)
    }

    @Test func shardsAreReadUnderTheNamesOfToday() throws {
        let scratch = try Scratch()
        for (place, name) in ["a.LayerNorm.gamma", "a.LayerNorm.beta"].enumerated() {
            let writer = try SafetensorsWriter(
                path: "\(scratch.path)/model-\(place).safetensors", slots: [.init(name: name, dtype: .f32, shape: [1])])
            try withUnsafeBytes(of: Float(place)) { try writer.append($0) }
            _ = try writer.finish()
        }
        let map = #"{"a.LayerNorm.gamma": "model-0.safetensors", "a.LayerNorm.beta": "model-1.safetensors"}"#
        try scratch.write("model.safetensors.index.json", bytes: Array(#"{"weight_map": \#(map)}"#.utf8))
        let read = try Checkpoint(directory: scratch.path)
        #expect(read.names == ["a.LayerNorm.bias", "a.LayerNorm.weight"])
        let (bias, weight) = try (value("a.LayerNorm.bias", in: read), value("a.LayerNorm.weight", in: read))
        #expect(bias == 1 && weight == 0)
    }
}
