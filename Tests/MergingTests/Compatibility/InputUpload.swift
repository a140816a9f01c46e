import Files
import Foundation
import Safetensors

@testable import Merging

/// A registry with a base and one task.
struct InputUpload {
    let registry: String
    let base: ModelFolder
    let task: ModelFolder
    /// What the task is, whole and in float32: what must come out where it is merged alone.
    var expected: [String: ModelFolder.Content] = [:]

    init(_ kind: InputCase.Base, in registry: String) throws {
        self.registry = registry
        try Durable.createDirectories(registry + "/tasks")
        base = ModelFolder(at: registry + "/base")
        task = ModelFolder(at: registry + "/tasks/task")
        switch kind {
        case .vision:
            try Self.copy(Fixture.root + "/base", to: base.path)
            try Self.copy(Fixture.root + "/letters", to: task.path)
            try approach()
            expected = try task.tensors()
        case .modules: try copyBase(AdapterFixture.root + "/base")
        case .turned: try copyBase(AdapterFixture.root + "/turned/base")
        case .mixed: try copyBase(Self.refused + "/mixed-base")
        case .upload(let name):
            try Self.copy(Self.uploads + "/\(name)/base", to: base.path)
            try Self.copy(Self.uploads + "/\(name)/task", to: task.path)
            expected = try ModelFolder(at: Self.uploads + "/" + name).tensors("expected.safetensors")
        case .family(let name):
            let fixture = try ArchitectureFixture(name, in: registry)
            try FileManager.default.moveItem(atPath: registry + "/one", toPath: task.path)
            try settings("objective: \(fixture.plan.tasks[0].settings.objective.rawValue)")
            expected = try task.tensors()
        }
    }

    /// What `Tools/make_upload_fixtures.py` makes with transformers, PEFT and torch.
    static let uploads = Fixture.root + "/uploads"

    /// Fixtures of the neighbouring tests, which PEFT wrote and nobody may merge.
    static let refused = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "AdaptersTests/Fixtures").path

    /// Brings the fixture's random weights as near to the base's as fine-tuning leaves them; admission looks at that.
    private func approach() throws {
        let origin = try base.tensors()
        try task.change { tensors in
            for (name, content) in tensors {
                guard let start = origin[name], start.shape == content.shape, content.dtype == .f32 else { continue }
                let near = zip(start.values(Float.self), content.values(Float.self)).map { $0 + ($1 - $0) / 16 }
                tensors[name] = ModelFolder.Content(near, .f32, shape: content.shape)
            }
        }
    }

    private static func copy(_ source: String, to target: String) throws {
        try FileManager.default.copyItem(atPath: source, toPath: target)
    }

    private func copyBase(_ source: String) throws {
        try Self.copy(source, to: base.path)
        try Durable.createDirectories(task.path)
        // Without a graph nothing else says that the classifier is a head.
        try settings("head: classifier")
    }

    func settings(_ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: task.path + "/task.yaml"))
    }

    /// Makes the task an adapter of PEFT's; `merged.safetensors` beside it is what PEFT folds it to.
    mutating func adapt(_ source: String) throws {
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            try Self.copy("\(source)/\(name)", to: "\(task.path)/\(name)")
        }
        let merged = source + "/merged.safetensors"
        if FileManager.default.fileExists(atPath: merged) {
            expected = try ModelFolder(at: source).tensors("merged.safetensors")
        }
    }

    /// Sets keys of the adapter's configuration, given as JSON.
    func configure(_ keys: String) throws {
        let path = URL(filePath: task.path + "/adapter_config.json")
        var values = try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any] ?? [:]
        values.merge(try JSONSerialization.jsonObject(with: Data(keys.utf8)) as? [String: Any] ?? [:]) { $1 }
        try JSONSerialization.data(withJSONObject: values).write(to: path)
    }

    /// A file beside the weights that is none of ours.
    func put(_ name: String) throws { try Data("x".utf8).write(to: URL(filePath: "\(task.path)/\(name)")) }

    /// Splits the task's weights into two shards and an index.
    func shard() throws {
        let tensors = try task.tensors()
        let names = tensors.keys.sorted()
        let files = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
        var map: [String: String] = [:]
        for (place, file) in files.enumerated() {
            let part = names.enumerated().filter { $0.offset % 2 == place }.map(\.element)
            for name in part { map[name] = file }
            try task.write(tensors.filter { part.contains($0.key) }, to: file)
        }
        try Durable.remove(task.path + "/model.safetensors")
        let index: [String: Any] = ["metadata": ["total_size": 1], "weight_map": map]
        try JSONSerialization.data(withJSONObject: index).write(
            to: URL(filePath: task.path + "/model.safetensors.index.json"))
    }
}

extension ModelFolder {
    /// Stores floating-point tensors whose place in the order of names passes in another type.
    func convert(_ type: SafetensorsDTypeCase, where isConverted: (Int) -> Bool = { _ in true }) throws {
        try change { tensors in
            for (place, name) in tensors.keys.sorted().enumerated() where isConverted(place) {
                guard let content = tensors[name], content.dtype == .f32 else { continue }
                tensors[name] = try type.content(content.values(Float.self), shape: content.shape)
            }
        }
    }

    /// A file with types that our writer does not have.
    func put(_ file: String, header: String, bytes: Int) throws {
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
        let content = length + Data(header.utf8) + Data(repeating: 0, count: bytes)
        try content.write(to: URL(filePath: "\(path)/\(file)"))
    }

    /// Puts this in the place of the header's metadata.
    func writeMetadata(_ text: String) throws {
        let file = URL(filePath: path + "/model.safetensors")
        let bytes = Array(try Data(contentsOf: file))
        let length = Int(bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
        var header = try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: Any] ?? [:]
        header["__metadata__"] = nil
        let rest = try String(decoding: JSONSerialization.data(withJSONObject: header), as: UTF8.self)
        let whole = "{\"__metadata__\":\(text),\(rest.dropFirst())"
        let prefix = withUnsafeBytes(of: UInt64(whole.utf8.count).littleEndian) { Data($0) }
        try (prefix + Data(whole.utf8) + Data(bytes[(8 + length)...])).write(to: file)
    }

    func rename(_ body: (String) -> String) throws {
        try change { $0 = Dictionary(uniqueKeysWithValues: $0.map { (body($0.key), $0.value) }) }
    }
}
