import Foundation
import Testing

/// Adapters as PEFT saves them, dropped into the registry of a running daemon.
@Suite struct AdapterTests {
    /// A site with `amber`, full weights, deployed by a daemon that runs.
    private func deployedSite() throws -> Site {
        let site = try Site(steps: 15)
        try site.drop("amber")
        try site.start()
        try site.settle()
        return site
    }

    private func evaluate(_ model: String, _ task: String) throws -> (metric: String, value: Double, loss: Double) {
        let run = try Execution.run(
            Programs.merge, ["evaluate", "--model", model, "--task", task, "--threads", "1", "--json"])
        #expect(run.status == 0, "\(run.errors)")
        let line = try run.object()
        return (
            try #require(line["metric"] as? String), try #require(line["value"] as? Double),
            try #require(line["loss"] as? Double)
        )
    }

    @Test func aLoRAIsMergedBesideFullWeightsAndPublished() throws {
        let site = try deployedSite()
        try site.drop("birch", edit: AdapterFolder.adapt)
        try site.settle()
        #expect(site.current == "versions/2")
        let record = try #require(try site.release()?.record)
        #expect(record.tasks.map(\.name) == ["amber", "birch"])
        #expect(
            record.tasks[1].files.map(\.name) == [
                "adapter_config.json", "adapter_model.safetensors", "validation.safetensors",
            ])
        let result = try #require(record.result.tasks.last)
        let (base, own, merged) = (try #require(result.base), try #require(result.own), try #require(result.merged))
        #expect(own.value > base.value && merged.value > base.value && merged.loss < base.loss)
        // The matrices that LoRA adapts moved, by coefficients of their own.
        let coefficients = try TensorFile(path: site.deployed("merge/coefficients.safetensors")).tensors
        let layer = try #require(coefficients["vit.layers.1.mlp.fc2.weight"])
        #expect(layer.shape == [2, 16] && layer.floats.suffix(16).contains { abs($0 - 0.3) > 0.01 })

        let head = try TensorFile(path: site.deployed("heads/birch.safetensors")).tensors
        let full = try TensorFile(path: Workshop.shared().task("birch") + "/model.safetensors").tensors
        #expect(head.keys.sorted() == ["classifier.bias", "classifier.weight"])
        for (name, tensor) in head { #expect(tensor.bytes == full[name]?.bytes, "\(name)") }
        let model = try TensorFile(path: site.deployed("model.safetensors")).tensors
        #expect(model.keys.sorted() == full.keys.filter { !$0.hasPrefix("classifier.") }.sorted())

        // The adapter is the checkpoint that it was made of.
        let task = site.path("birch")
        let scores = try (evaluate(task, task), evaluate(Workshop.shared().task("birch"), task))
        #expect(scores.0.metric == "accuracy" && scores.0.value == scores.1.value)
        #expect(abs(scores.0.loss - scores.1.loss) < 1e-5)
        #expect(try site.control("verify").status == 0)
    }

    @Test func doRAIsRefusedByNameAndTheReleaseStands() throws {
        let site = try deployedSite()
        let before = try site.bytes(site.deployed("release.json"))
        try site.drop("birch") { folder in
            try AdapterFolder.adapt(folder)
            try AdapterFolder.configure(folder, ["use_dora": true])
        }
        try site.settle(status: 3)
        let refusal = try #require(try site.ledger(.refused).last)
        #expect(refusal.task == "birch" && !refusal.message.contains("\n"))
        for word in ["use_dora", "DoRA"] { #expect(refusal.message.contains(word), "\(refusal.message)") }
        #expect(site.current == "versions/1")
        #expect(try site.bytes(site.deployed("release.json")) == before)
        #expect(try site.ledger(.mergeStarted).count == 1)

        // The same drop without it is merged.
        try site.drop("birch", edit: AdapterFolder.adapt)
        try site.settle()
        #expect(try site.release()?.record.tasks.map(\.name) == ["amber", "birch"])
    }

    @Test func anAdapterWithoutLabelsIsJudgedByAgreementWithItself() throws {
        let site = try deployedSite()
        func strip(_ folder: String) throws {
            var examples = try TensorFile(path: folder + "/validation.safetensors")
            examples.tensors["labels"] = nil
            try examples.write(folder + "/validation.safetensors")
        }
        try site.drop("birch") { folder in
            try AdapterFolder.adapt(folder)
            try strip(folder)
        }
        try site.settle()
        let result = try #require(try site.release()?.record.result.tasks.last)
        #expect(result.own?.value == 1 && result.own?.loss == 0)
        let (base, merged) = (try #require(result.base), try #require(result.merged))
        #expect(merged.metric == "agreement" && merged.value > base.value)

        // The same examples beside the full weights that the adapter stands for: the same figures.
        let full = site.folder.path + "/full/birch"
        try FileManager.default.createDirectory(atPath: site.folder.path + "/full", withIntermediateDirectories: true)
        try site.copy(Workshop.shared().task("birch"), to: full)
        try strip(full)
        let task = site.path("birch")
        #expect(try evaluate(task, task).value == 1)
        for model in [site.deploy + "/current", site.registry + "/base"] {
            let (own, expected) = try (evaluate(model, task), evaluate(model, full))
            #expect(own.metric == "agreement" && own.value < 1)
            #expect(own.value == expected.value && abs(own.loss - expected.loss) < 1e-5, "\(model)")
        }
        // And of the full weights with the adapter: all of it.
        try site.copy(site.registry + "/base/graph.pt2", to: full + "/graph.pt2")
        let other = try evaluate(full, task)
        #expect(other.value == 1 && other.loss < 1e-5)
    }
}
