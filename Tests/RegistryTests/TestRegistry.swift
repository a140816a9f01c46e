import ExportedGraph
import Files
import Foundation
import Registry
import Synchronization
import WorkerProtocol

/// A registry in a temporary directory with a tiny base (`trunk.weight` [4, 3], `trunk.bias` [4]), a graph that adds a
/// head (`head.weight` [2, 4], `head.bias` [2]) and one input `x` [any, 3], and a clock that the test moves.
final class TestRegistry: Sendable {
    let path: String
    private let time = Mutex(ContinuousClock.now)

    static let trunk: [Float] = (0..<12).map { Float($0) - 5.5 }
    static let signature = GraphSignature(
        parameters: [
            .init(name: "trunk.weight", dtype: "float32", shape: [4, 3], aliases: []),
            .init(name: "trunk.bias", dtype: "float32", shape: [4], aliases: []),
            .init(name: "head.weight", dtype: "float32", shape: [2, 4], aliases: []),
            .init(name: "head.bias", dtype: "float32", shape: [2], aliases: []),
        ], buffers: [], inputs: [.init(name: "x", dtype: "float32", shape: [nil, 3], aliases: [])])

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "registry-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path + "/root/tasks", withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var root: String { path + "/root" }
    var cache: String { path + "/cache.json" }

    func advance(_ duration: Duration) { time.withLock { $0 += duration } }

    /// `wallClock` 0: the files' own times say nothing, only the looks count.
    func scanner(
        requiresValidation: Bool = true,
        labelled: Set<TaskSettings.Objective> = Set(TaskSettings.Objective.allCases), mostRead: Int64 = 1 << 30,
        needsAdapters: Bool = false, wallClock: @escaping @Sendable () -> Int64 = { 0 },
        readGraph: @escaping @Sendable (ReadableFile) throws -> GraphSignature = { _ in TestRegistry.signature }
    ) -> RegistryScanner {
        RegistryScanner(
            registry: root, cache: cache, settle: .seconds(5), requiresValidation: requiresValidation,
            labelled: labelled, needsAdapters: needsAdapters, now: { self.time.withLock { $0 } }, wallClock: wallClock,
            mostRead: mostRead,
            readGraph: readGraph)
    }

    /// Looks, waits until everything is still, and looks again.
    func settledScan(_ scanner: RegistryScanner? = nil) async throws -> RegistrySnapshot {
        let scanner = scanner ?? self.scanner()
        _ = try await scanner.scan()
        advance(.seconds(5))
        return try await scanner.scan().snapshot
    }

    /// Writes a file below the root; folders come with it.
    func write(_ name: String, _ bytes: [UInt8]) throws {
        let file = URL(filePath: root + "/" + name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: root + "/" + name) }

    func writeBase() throws {
        try write("base/model.safetensors", TestTensor.file(Self.trunkTensors()))
        try write("base/graph.pt2", Array("graph".utf8))
        try write("base/config.json", Array("{}".utf8))
    }

    func writeTask(
        _ name: String = "t", weights: [TestTensor] = TestRegistry.taskTensors(),
        validation: [TestTensor]? = TestRegistry.validation(), settings: String? = nil
    ) throws {
        try write("tasks/\(name)/model.safetensors", TestTensor.file(weights))
        if let validation { try write("tasks/\(name)/validation.safetensors", TestTensor.file(validation)) }
        if let settings { try write("tasks/\(name)/task.yaml", Array(settings.utf8)) }
    }

    static func trunkTensors(shift: Float = 0) -> [TestTensor] {
        [
            TestTensor("trunk.weight", [4, 3], trunk.map { $0 + shift }),
            TestTensor("trunk.bias", [4], [0, 1, 2, 3 + shift]),
        ]
    }

    static func taskTensors(shift: Float = 0.25) -> [TestTensor] {
        trunkTensors(shift: shift) + [
            TestTensor("head.weight", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), TestTensor("head.bias", [2], [0, 0]),
        ]
    }

    static func validation(labels: [Int32] = [0, 1, 1]) -> [TestTensor] {
        [
            TestTensor("x", [labels.count, 3], [Float](repeating: 0.5, count: labels.count * 3)),
            TestTensor("labels", [labels.count], integers: labels),
        ]
    }
}

extension Upload {
    var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }
    var content: Content? { if case .accepted(let content) = self { content } else { nil } }
    var reason: String? { if case .arriving(let reason) = self { reason } else { nil } }
}
