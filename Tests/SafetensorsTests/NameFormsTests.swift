import Testing

@testable import Safetensors

/// Names that wrappers, parametrizations and models of several towers spell otherwise than the base.
struct NameFormsTests {
    @Test(arguments: [
        "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_orig_mod", "_fpw_module", "_forward_module",
        "_fsdp_wrapped_module._fpw_module", "_original_module",
    ]) func dropsWrappersInTheMiddle(_ wrapper: String) throws {
        let base = try checkpoint(["bert.layer.0.a.weight", "bert.layer.1.a.weight"])
        let task = try checkpoint(["bert.layer.0.\(wrapper).a.weight", "bert.\(wrapper).layer.1.\(wrapper).a.weight"])
        #expect(task.fitted(to: base).names == base.names)
        let behind = try checkpoint([
            "module.\(wrapper).layer.0.\(wrapper).a.weight", "module.\(wrapper).layer.1.a.weight",
        ])
        #expect(behind.fitted(to: base).names == base.names)
        #expect(base.fitted(to: task).names == task.names)
    }

    @Test(arguments: [
        ("module", "module"), ("a_module", "a_module"), ("_modulation", "_modulation"), ("model", "model"),
    ])
    func keepsModulesOfTheModel(_ part: String, _ kept: String) {
        #expect(NameForms.unwrapped("net.\(part).weight") == "net.\(kept).weight")
    }

    @Test func dropsDataParallelPartsInTheMiddle() throws {
        let base = try checkpoint(["bert.layer.0.a.weight", "bert.layer.1.a.weight", "head.module.weight"])
        let task = try checkpoint([
            "bert.layer.0.module.a.weight", "bert.module.layer.1._orig_mod.a.weight", "head.module.weight",
        ])
        #expect(task.fitted(to: base).names == base.names)
        #expect(NameForms.withoutModule("module") == "module")
    }

    @Test(arguments: ["weight", "weight_hh_l0", "bias"]) func findsWeightNormInBothSpellings(_ parameter: String) throws
    {
        let old = try checkpoint(["conv.\(parameter)_g", "conv.\(parameter)_v", "conv.b"])
        let new = try checkpoint([
            "conv.parametrizations.\(parameter).original0", "conv.parametrizations.\(parameter).original1", "conv.b",
        ])
        #expect(old.fitted(to: new).names == new.names)
        #expect(new.fitted(to: old).names == old.names)
        #expect(try value("conv.\(parameter)_g", in: new.fitted(to: old)) == 0)
    }

    @Test func tellsSpectralNormFromWeightNorm() throws {
        let old = try checkpoint(["a.weight_orig", "a.weight_u", "a.weight_v", "b.weight_g", "b.weight_v"])
        let new = try checkpoint([
            "a.parametrizations.weight.original", "a.parametrizations.weight.0._u", "a.parametrizations.weight.0._v",
            "b.parametrizations.weight.original0", "b.parametrizations.weight.original1",
        ])
        #expect(try value("a.weight_v", in: new.fitted(to: old)) == 2)
        #expect(try value("b.weight_v", in: new.fitted(to: old)) == 4)
    }

    @Test(arguments: [
        (["model.layers.0.a", "visual.blocks.0.a"], ["model.language_model.layers.0.a", "model.visual.blocks.0.a"]),
        (
            ["language_model.model.layers.0.a", "vision_tower.vision_model.b", "multi_modal_projector.c"],
            ["model.language_model.layers.0.a", "model.vision_tower.b", "model.multi_modal_projector.c"]
        ),
        (["language_model.lm_head.a", "language_model.model.b"], ["lm_head.a", "model.language_model.b"]),
        (["text_model.model.layers.0.a", "text_model.lm_head.a"], ["model.text_model.layers.0.a", "lm_head.a"]),
        (["model.layers.0.a", "vision_model.b"], ["model.llm.layers.0.a", "model.vision_tower.b"]),
        (["model.image_newline", "model.layers.0.a"], ["image_newline", "language_model.model.layers.0.a"]),
    ]) func joinsTheTowersOfAModel(_ apart: [String], _ joined: [String]) throws {
        let (first, second) = (try checkpoint(apart), try checkpoint(joined))
        #expect(first.fitted(to: second).names == second.names)
        #expect(second.fitted(to: first).names == first.names)
    }

    @Test func refusesTwoTensorsOfOneName() throws {
        let base = try checkpoint(["model.layers.0.a"])
        let task = try checkpoint(["language_model.layers.0.a", "text_model.layers.0.a"])
        #expect(task.fitted(to: base).names == task.names)
    }
}
