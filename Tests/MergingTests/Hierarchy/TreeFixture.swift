import Files
import Foundation
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Two families of tasks mixed out of the fixture's two, each with the head and the examples of its family, and
/// hierarchical merges of them over one store.
struct TreeFixture {
    let directory: String
    /// How much of the letters' and of the shapes' task vector a task has. A family is more alike than the two.
    static let mixtures: [String: (letters: Float, shapes: Float)] = [
        "a1": (1, 0), "a2": (0.9, 0.3), "a3": (0.8, 0.1), "a4": (0.9, 0.4), "b1": (0, 1), "b2": (0.2, 0.9),
        "b3": (0.1, 0.7), "b4": (0.3, 1),
    ]
    static let eight = mixtures.keys.sorted()
    static let four = ["a1", "a2", "b1", "b2"]

    init(in directory: String) throws {
        self.directory = directory
        for name in Self.mixtures.keys.sorted() { try make(name) }
    }

    /// Makes a task's folder, `growth` times as far from the base.
    func make(_ name: String, growth: Float = 1) throws {
        let mixture = try #require(Self.mixtures[name])
        let own = "\(Fixture.root)/\(name.hasPrefix("a") ? "letters" : "shapes")"
        let path = "\(directory)/tasks/\(name)"
        try Durable.createDirectories(directory + "/tasks")
        try Durable.remove(path)
        let folder = try ModelFolder(own, copiedTo: path)
        let base = try ModelFolder(at: Fixture.root + "/base").tensors()
        let letters = try ModelFolder(at: Fixture.root + "/letters").tensors()
        let shapes = try ModelFolder(at: Fixture.root + "/shapes").tensors()
        try folder.change { tensors in
            for (layer, content) in base {
                let origin = content.values(Float.self)
                let first = try #require(letters[layer]).values(Float.self)
                let second = try #require(shapes[layer]).values(Float.self)
                let values = origin.indices.map { index in
                    let change =
                        mixture.letters * (first[index] - origin[index])
                        + mixture.shapes * (second[index] - origin[index])
                    return origin[index] + growth * change
                }
                tensors[layer] = .init(values, .f32, shape: content.shape)
            }
        }
    }

    func settings() throws -> MergeSettings {
        var settings = try Fixture.settings()
        settings.strategy = .hierarchical
        settings.holdout = 0.25
        settings.batch = 4
        settings.steps = 6
        settings.evaluateEvery = 3
        return settings
    }

    /// A merge into the folder `name`, over the store `store`.
    func plan(
        _ tasks: [String] = four, into name: String, store: String = "store", _ settings: MergeSettings? = nil
    ) throws -> MergePlan {
        var plan = try Fixture.plan(settings ?? self.settings(), tasks: tasks, in: "\(directory)/\(name)")
        for index in plan.tasks.indices {
            let path = "\(directory)/tasks/\(plan.tasks[index].name)"
            plan.tasks[index].directory = path
            plan.tasks[index].digest = Digest.sha256(try Durable.contents(path + "/model.safetensors"))
        }
        plan.tree = "\(directory)/\(store)"
        return plan
    }

    func merge(
        _ tasks: [String] = four, into name: String, store: String = "store", _ settings: MergeSettings? = nil
    ) throws -> MergeResult {
        try MergeRun(plan(tasks, into: name, store: store, settings), report: { _ in }).run()
    }

    /// A node's file in the store.
    func path(_ node: TreeNode, _ file: String, store: String = "store") -> String {
        "\(directory)/\(store)/nodes/\(node.digest)/\(file)"
    }

    /// Digests of the nodes that a fit above takes as one model.
    func models(_ result: MergeResult) -> Set<String> {
        Set(result.tree.flatMap(\.sources)).intersection(result.tree.map(\.digest))
    }

    /// Digests of the nodes of which the store has this file.
    func stored(_ file: String, store: String = "store") throws -> Set<String> {
        let nodes = "\(directory)/\(store)/nodes"
        return try Set(
            Durable.list(nodes).filter { FileManager.default.fileExists(atPath: "\(nodes)/\($0)/\(file)") })
    }

    /// Cuts a file's second half off.
    func truncate(_ path: String) throws {
        let bytes = try Durable.contents(path)
        try Data(bytes.prefix(bytes.count / 2)).write(to: URL(fileURLWithPath: path))
    }
}

extension MergeResult {
    /// The tasks below each node that was fitted, or that was not, in the order of the merges.
    func nodes(reused: Bool) -> [[String]] { tree.filter { $0.isReused == reused }.map(\.tasks) }
}
