import Testing

@testable import Adapters

/// What the names in an adapter's file stand for, as PEFT, DeepSpeed, FSDP and ms-swift write them.
struct AdapterKeyTests {
    @Test(arguments: [
        ("base_model.model.a.q.lora_A.weight", AdapterKey.lowA("a.q")),
        ("base_model.model.a.q.lora_A.default.weight", .lowA("a.q")),
        ("a.q.lora_B.default.weight", .lowB("a.q")), ("a.q.lora_B.default.bias", .biasOfB("a.q")),
        ("a.e.lora_embedding_A.default", .embeddingA("a.e")), ("a.e.lora_embedding_B", .embeddingB("a.e")),
        ("a.k.ia3_l.default", .vector("a.k")),
        ("module.base_model.model.a.q.lora_A.default.weight", .lowA("a.q")),
        ("_fsdp_wrapped_module.base_model.model.a._checkpoint_wrapped_module.q.lora_A.default.weight", .lowA("a.q")),
        ("base_model.model.c.modules_to_save.default.weight", .whole("c.weight")),
        ("base_model.model.c.original_module.weight", .copy),
        ("base_model.model.q.base_layer.weight", .whole("q.weight")),
        ("base_model.model.default.weight", .whole("default.weight")),
    ]) func readsNames(_ name: String, _ expected: AdapterKey) throws {
        #expect(try AdapterKey(name, adapter: "default") == expected)
    }

    @Test(
        arguments: [
            (["a.lora_A.sst2.weight", "a.lora_B.sst2.weight"], "sst2"), (["a.lora_A.weight"], nil),
            (["e.lora_embedding_A.x", "a.lora_A.x.weight"], "x"), (["k.ia3_l.y"], "y"), (["a.weight"], nil),
        ] as [([String], String?)]) func findsTheAdaptersName(_ names: [String], _ expected: String?) throws
    {
        #expect(try AdapterKey.adapterName(in: names) == expected)
    }

    @Test func refusesSeveralAdapters() {
        #expect(throws: AdapterError.self) {
            try AdapterKey.adapterName(in: ["a.lora_A.one.weight", "a.lora_B.two.weight"])
        }
    }
}
