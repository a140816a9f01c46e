import Foundation
import Testing

/// Checkpoints that were made with PyTorch, not by this project; skipped where they are not there.
@Suite struct ZooTests {
    static let zoo = Programs.package.appending(path: "../shared/zoo/vision").standardized.path
    static let isThere = FileManager.default.fileExists(atPath: zoo + "/base/graph.pt2")
    static let tasks = ["mnist", "fashion_mnist", "gtsrb", "fer2013_clean"]

    @Test(.enabled(if: isThere, "../shared/zoo is not there")) func fourTasksOneAtATimeBeatTaskArithmetic() throws {
        let site = try Site(
            steps: 40,
            merge: [
                "learning-rate": "0.03", "evaluate-every": "10", "threads": "0", "granularity": "row",
                "loss": "distillation",
            ], base: Self.zoo + "/base")
        // Four tasks in a model of 0.9M parameters crowd each other; what the merge reaches is asked here, not the
        // gate.
        try site.writeConfiguration(extra: "gate: {maximum-regression: 0.5}\n")
        try site.start()
        for (number, task) in Self.tasks.enumerated() {
            try site.drop(task, of: "\(Self.zoo)/tasks/\(task)")
            try site.settle()
            #expect(site.current == "versions/\(number + 1)")
        }
        let accuracies = try Self.tasks.map { task in
            let run = try Execution.run(
                Programs.merge,
                [
                    "evaluate", "--model", site.deploy + "/current", "--task", "\(Self.zoo)/tasks/\(task)", "--data",
                    "\(Self.zoo)/test/\(task).safetensors", "--json",
                ])
            return try #require(try run.object()["value"] as? Double, "\(run.errors)")
        }
        let mean = accuracies.reduce(0, +) / Double(accuracies.count)
        #expect(mean > 0.62, "\(accuracies); task arithmetic reaches 0.500, AdaMerging 0.553")
        // Where there is no PyTorch, there is nothing to ask.
        guard let python = Python.with("torch safetensors") else { return }
        try loadInPyTorch(site, python)
        for (task, accuracy) in zip(Self.tasks, accuracies) {
            try scoreInPyTorch(task, site, python, expecting: accuracy)
        }
    }

    /// PyTorch runs the same graph on the same test examples and agrees to 0.1 point.
    private func scoreInPyTorch(_ task: String, _ site: Site, _ python: String, expecting accuracy: Double) throws {
        let script = Programs.package.appending(path: "Tools/score_model.py").path
        let files = ["graph.pt2", "model.safetensors", "heads/\(task).safetensors"].map(site.deployed)
        let run = try Execution.run(python, [script] + files + ["\(Self.zoo)/test/\(task).safetensors"])
        #expect(run.status == 0, "\(run.errors)")
        let value = try #require(run.output.split(separator: " ").first.flatMap { Double($0) })
        #expect(abs(value - accuracy) <= 0.001, "\(task): \(value) in PyTorch, \(accuracy) here")
    }

    /// PyTorch's own safetensors reads every file of the release.
    private func loadInPyTorch(_ site: Site, _ python: String) throws {
        let imports = "import torch; from safetensors.torch import load_file; "
        let program =
            imports
            + "import sys; print(sum(len([t for t in load_file(f).values() if t.isfinite().all()]) for f in "
            + "sys.argv[1:]))"
        let files =
            ["model.safetensors", "merge/coefficients.safetensors"] + Self.tasks.map { "heads/\($0).safetensors" }
        let run = try Execution.run(python, ["-c", program] + files.map(site.deployed))
        #expect(run.status == 0, "\(run.errors)")
        var tensors = 0
        for file in files { tensors += try TensorFile(path: site.deployed(file)).tensors.count }
        #expect(Int(run.output.trimmingCharacters(in: .whitespacesAndNewlines)) == tensors)
    }
}
