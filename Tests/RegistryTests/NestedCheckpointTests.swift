import Foundation
import Registry
import Testing

/// Folders whose weights lie in a folder below, whichever form they have there.
@Suite struct NestedCheckpointTests {
    let registry: TestRegistry

    init() throws {
        registry = try TestRegistry()
        try registry.writeBase()
    }

    @Test(arguments: [
        ("checkpoint-500/model.safetensors", "`checkpoint-500`"),
        ("sentiment/adapter_model.safetensors", "`sentiment`"),
        ("models--org--name/snapshots/0a1b/model.safetensors", "`models--org--name/snapshots/0a1b`"),
        ("huggingface/hub/models--org--name/snapshots/0a1b/model.safetensors.index.json", "snapshots/0a1b"),
        ("0_Transformer/model.safetensors", "`0_Transformer`"),
        ("pytorch_model_fsdp_0/__0_0.distcp", "accelerate merge-weights"),
        ("checkpoint-9/pytorch_model_fsdp_0/__1_0.distcp", "`checkpoint-9/pytorch_model_fsdp_0`"),
        ("global_step500/zero_pp_rank_0_mp_rank_00_model_states.pt", "zero_to_fp32.py"),
        ("global_step500/mp_rank_00_model_states.pt", "DeepSpeed"),
        ("iter_0000500/mp_rank_00/model_optim_rng.pt", "Megatron"),
        ("checkpoint-500/pytorch_model.bin", "`pytorch_model.bin`, a pickle"),
        ("checkpoint-500/adapter_model.bin", "a pickle"), ("gguf/model-q4.gguf", "llama.cpp"),
    ]) func namesTheFolderAndTheRemedy(_ path: String, _ named: String) async throws {
        try registry.write("tasks/t/" + path, [1])
        let refusal = try await registry.settledScan().tasks["t"]?.refusal
        #expect(refusal?.code == "nested-checkpoint" && refusal?.message.contains(named) == true, "\(refusal as Any)")
    }

    @Test func theLatestCheckpointIsNamed() async throws {
        for step in [500, 1000, 1500] { try registry.write("tasks/t/checkpoint-\(step)/model.safetensors", [1]) }
        let refusal = try await registry.settledScan().tasks["t"]?.refusal
        #expect(refusal?.message.contains("checkpoint-1500") == true)
    }

    @Test func foldersWithoutACheckpointAreNamedAndRefusedInTheEnd() async throws {
        try registry.write("tasks/t/runs/events", [1])
        let reason = try await registry.settledScan().tasks["t"]?.reason
        #expect(reason?.contains("only the folders `runs`") == true, "\(reason ?? "")")
        let late = RegistryScanner.systemTime() + 2 * 3600 * 1_000_000_000
        let snapshot = try await registry.settledScan(registry.scanner(wallClock: { late }))
        #expect(snapshot.tasks["t"]?.refusal?.code == "missing-weights")
    }

    @Test func formatsBesideAConfigurationAreNamed() async throws {
        try registry.write("tasks/t/config.json", Array("{}".utf8))
        try registry.write("tasks/t/pytorch_model_fsdp_0/__0_0.distcp", [1])
        let refusal = try await registry.settledScan(registry.scanner(requiresValidation: false)).tasks["t"]?.refusal
        #expect(refusal?.code == "nested-checkpoint" && refusal?.message.contains("FSDP") == true)
    }
}
