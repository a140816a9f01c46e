import Adapters
import Files
import Foundation
import Safetensors
import Tasks
import Torch
import WorkerProtocol

@testable import Merging

/// The adapters that `Tools/make_adapter_fixtures.py` makes with PEFT.
enum AdapterFixture {
    static let root = Fixture.root + "/adapters"
    static let cases = [
        "lora", "rslora", "embedding", "convolution", "biases", "adapted-biases", "lora-bias", "saved", "expression",
        "ia3",
        "corda", "ia3-convolution", "lora-ga", "overlapping", "patterns", "turned/lora", "turned/ia3",
        "turned/ia3-inputs",
    ]

    /// What a layer can be divided by: `auto` is settled before there are layers.
    static let granularities = MergeSettings.Granularity.allCases.filter { $0 != .auto }

    /// Folder of the base that a case belongs to.
    static func base(of name: String) -> String { root + (name.hasPrefix("turned/") ? "/turned/base" : "/base") }

    static func checkpoint(_ path: String) throws -> Checkpoint {
        Checkpoint(try SafetensorsFile(file: ReadableFile(path: path)), name: "model.safetensors")
    }

    static func task(_ name: String, _ base: Checkpoint, directory: String? = nil) throws -> TaskModel {
        let source = TaskSource(
            name: name, directory: directory ?? "\(root)/\(name)", files: [], digest: "", settings: TaskSettings())
        return try TaskModel(source, base: base, ties: TiedNames(nil, base: base))
    }

    static func layers(_ base: Checkpoint, _ granularity: MergeSettings.Granularity) -> [Layer] {
        base.names.compactMap { base.entry($0) }.map { Layer($0, granularity) }
    }

    /// What merge_and_unload made of the adapter, as a source of dense task vectors.
    struct Folded: VectorSource {
        let name: String
        let checkpoint: Checkpoint

        init(_ name: String) throws {
            self.name = name
            checkpoint = try AdapterFixture.checkpoint("\(root)/\(name)/merged.safetensors")
        }

        func owns(_ name: String) -> Bool { false }
    }

    /// Numbers between -1 and 1, the same at every run.
    static func noise(_ count: Int, seed: UInt64 = 1) -> [Float] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int32(truncatingIfNeeded: state >> 33)) / Float(Int32.max)
        }
    }

    /// The largest difference of two lists, in units of the largest magnitude of the second.
    static func distance<Number: BinaryFloatingPoint>(_ first: [Number], _ second: [Number]) -> Number {
        guard first.count == second.count else { return .infinity }
        let largest = second.map { $0.magnitude }.max() ?? 0
        let difference = zip(first, second).map { ($0 - $1).magnitude }.max() ?? 0
        return difference / Swift.max(largest, 1e-12)
    }
}
