import Files
import Foundation
import Registry
import Safetensors
import Tasks
import WorkerProtocol

@testable import Merging

/// Sends a drop the way that it goes in the service: through admission, and into a merge.
struct InputTrial {
    enum Outcome: Hashable {
        /// The largest difference of the release from what was expected, relative to the largest number of its tensor,
        /// and what admission warned of.
        case merged(distance: Float, warnings: [String])
        case refused(String)
    }

    let inputCase: InputCase

    func outcome() async throws -> Outcome {
        let directory = NSTemporaryDirectory() + "/compatibility-" + UUID().uuidString
        defer { try? Durable.remove(directory) }
        let registry = directory + "/registry"
        var drop = try InputUpload(inputCase.base, in: registry)
        try inputCase.change(&drop)
        let hasGraph = FileManager.default.fileExists(atPath: drop.base.path + "/graph.pt2")
        let scanner = RegistryScanner(
            registry: registry, cache: directory + "/cache.json", settle: .zero, requiresValidation: hasGraph,
            labelled: Set(TaskSettings.Objective.allCases.filter(MergeSettings().needsLabels)))
        let snapshot = try await scanner.scan().snapshot
        guard case .accepted(let base) = snapshot.base else { return refusal(of: snapshot.base, in: registry) }
        guard case .accepted(let task)? = snapshot.tasks["task"] else {
            return refusal(of: snapshot.tasks["task"] ?? .missing, in: registry)
        }
        return try merge(base.source, task.source, drop, in: directory)
    }

    /// The message without this machine's paths.
    private func refusal<Content>(of drop: Upload<Content>, in registry: String) -> Outcome {
        switch drop {
        case .refused(let refusal): .refused(refusal.message.replacing(registry, with: "registry"))
        case .arriving(let reason): .refused("waiting: " + reason.replacing(registry, with: "registry"))
        case .accepted, .missing: .refused("")
        }
    }

    private func merge(
        _ base: BaseSource, _ task: TaskSource, _ drop: InputUpload, in directory: String
    ) throws -> Outcome {
        var settings = try Fixture.settings()
        settings.method = .taskArithmetic
        settings.scale = 1
        let warnings = task.warnings.map { $0.replacing(drop.registry, with: "registry") }
        var plan = try Fixture.plan(settings, tasks: [], in: directory)
        plan.base = base
        plan.tasks = [task]
        do {
            _ = try MergeRun(plan, report: { _ in }).run()
        } catch let error as MergeError {
            return .refused(error.message.replacing(drop.registry, with: "registry"))
        }
        var written = try ModelFolder(at: plan.output).tensors()
        let head = "\(plan.output)/heads/task.safetensors"
        if FileManager.default.fileExists(atPath: head) {
            written.merge(try ModelFolder(at: plan.output + "/heads").tensors("task.safetensors")) { $1 }
        }
        let names = Set(written.keys)
        guard names.isSubset(of: drop.expected.keys), try names.isSuperset(of: drop.base.tensors().keys) else {
            return .merged(distance: .infinity, warnings: warnings)
        }
        let distances = try written.map { name, content in
            try AdapterFixture.distance(content.floats(), drop.expected[name]?.floats() ?? [])
        }
        return .merged(distance: distances.max() ?? .infinity, warnings: warnings)
    }
}

extension ModelFolder.Content {
    /// The numbers of any type that a case writes.
    func floats() throws -> [Float] {
        switch dtype {
        case .f32: values(Float.self)
        case .f16: values(Float16.self).map { Float($0) }
        case .bf16: values(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
        case .f64: values(Double.self).map { Float($0) }
        case .i64: values(Int64.self).map { Float($0) }
        default: []
        }
    }
}
