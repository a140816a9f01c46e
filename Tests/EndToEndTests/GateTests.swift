import Foundation
import Ledger
import Testing

/// What would harm a deployed task is not published.
@Suite struct GateTests {
    /// Permutes the classes of a checkpoint's head: every answer becomes wrong.
    static func spoil(_ folder: String) throws {
        var model = try TensorFile(path: folder + "/model.safetensors")
        for name in ["classifier.weight", "classifier.bias"] {
            guard let bytes = model.tensors[name]?.bytes else { continue }
            let row = bytes.count / 3
            model.tensors[name]?.bytes = Array(bytes[row...] + bytes[..<row])
        }
        try model.write(folder + "/model.safetensors")
    }

    @Test func aHarmfulNewVersionIsStoppedAndTheFiguresAreKept() throws {
        let site = try Site(steps: 10)
        try site.drop("amber")
        try site.drop("birch")
        let daemon = try site.start()
        try site.settle()
        let model = try site.bytes(site.deployed("model.safetensors"))

        try site.drop("amber", edit: Self.spoil)
        let reply = try site.rescan()
        #expect(reply.status == 3, "\(reply.output) \(reply.errors)")
        #expect(try reply.object()["outcome"] as? String == "refused")
        #expect(site.current == "versions/1")
        #expect(try site.versions() == [1])
        #expect(try site.bytes(site.deployed("model.safetensors")) == model)

        let gated = try #require(try site.ledger(.gated).last)
        #expect(gated.task == "amber")
        #expect(gated.message.contains("amber fell from"))
        let scores = try #require(gated.details["scores"]?.members["amber"]?.members)
        let before = try #require(scores["before"]?.double), after = try #require(scores["after"]?.double)
        let (fall, p) = (try #require(scores["fall"]?.double), try #require(scores["p"]?.double))
        #expect(abs(before - after - fall) < 1e-9 && fall > 0.02 && p < 0.05)
        #expect(scores["objection"] != nil)

        let states = try taskStates(site)
        #expect(states["amber"] == "set-aside")
        #expect(try daemon.stop() == 0)
        try site.start()
        try site.settle("what was refused is not tried again")
        #expect(try site.ledger(.mergeStarted).count == 2)

        try site.drop("amber")
        try site.settle()
        #expect(try taskStates(site)["amber"] == "deployed", "good content under the same name goes on")
    }

    /// Adds noise to the trunk's matrices: whatever takes a third of that in forgets what it knew.
    static func wreck(_ folder: String) throws {
        var model = try TensorFile(path: folder + "/model.safetensors")
        var random = Randomness(seed: 1)
        for name in model.tensors.keys.sorted() where name.contains("mlp") || name.contains("proj.weight") {
            guard let values = model.tensors[name]?.floats else { continue }
            model.tensors[name]?.floats = zip(values, random.normals(values.count, scale: 0.6)).map { $0 + $1 }
        }
        try model.write(folder + "/model.safetensors")
    }

    @Test func aHarmfulNewTaskDelaysNoGoodOne() throws {
        let site = try Site(steps: 10, merge: ["learning-rate": "0.001"])
        try site.drop("amber")
        try site.start()
        try site.settle()
        try site.drop("birch", edit: Self.wreck)
        try site.drop("cedar")
        try site.settle(status: 3)
        #expect(try site.release()?.record.tasks.map(\.name) == ["amber", "cedar"])
        #expect(try taskStates(site)["birch"] == "set-aside")
        #expect(try site.ledger(.gated).last?.task == "birch")
    }

    private func taskStates(_ site: Site) throws -> [String: String] {
        let tasks = try site.control("status", "--json").object()["tasks"] as? [[String: Any]] ?? []
        return Dictionary(
            uniqueKeysWithValues: tasks.compactMap { task in
                guard let name = task["name"] as? String, let state = task["state"] as? String else { return nil }
                return (name, state)
            })
    }
}
