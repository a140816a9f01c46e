internal import Adapters
internal import Files
internal import Foundation
internal import Safetensors
internal import Torch
internal import WorkerProtocol

/// The merge of LoRAs, or of (IA)³ adapters, as one adapter of that kind, which PEFT loads onto the base.
///
/// Of LoRAs: θm − θp = Σᵢ diag(cᵢ) · sᵢBᵢAᵢ · diag(gᵢ), whose factors side by side are a LoRA of the sum of the ranks. Of (IA)³
/// vectors lᵢ: 1 + Σᵢ cᵢ (lᵢ − 1). Biases, and what some task saved whole, come as the merged model has them. Memory: the
/// factors of one tensor and the bytes of another.
struct MergedAdapter {
    static let folder = "adapter"

    let workbench: Workbench
    let kind: AdapterConfiguration.Kind
    /// Adapted matrices: what the layer's module is called in the adapters.
    private(set) var modules: [Int: String] = [:]
    /// Layers that are written whole, by their names in the adapters.
    private(set) var whole: [Int: String] = [:]
    let isTransposed: Bool

    /// A tensor of the file.
    struct Part {
        var slot: SafetensorsWriter.Slot
        var values: [Float]
    }

    /// Throws `MergeError`, before anything is merged, where the merge is no one adapter: it blames a task that differs from
    /// those that are deployed already, or from the first.
    init(_ workbench: Workbench) throws {
        self.workbench = workbench
        let deployed = try Self.deployedTasks(workbench.plan)
        guard let first = workbench.tasks.first(where: { deployed.contains($0.name) }) ?? workbench.tasks.first else {
            throw MergeError.base("there is no task to write an adapter of")
        }
        kind = first.adapter?.configuration.kind ?? .lora
        isTransposed = first.adapter?.configuration.isTransposed ?? false
        for task in [first] + workbench.tasks {
            guard let own = task.adapter?.configuration else {
                throw fault(task, "it holds full weights; take it out, or set adapter to false")
            }
            guard own.kind == kind else {
                throw fault(
                    task,
                    "it is \(own.kind.rawValue), and \(first.name) is \(kind.rawValue); take one of the two out, or "
                        + "set adapter to false")
            }
            guard own.isTransposed == isTransposed else {
                throw fault(
                    task,
                    "its `fan_in_fan_out` is not that of \(first.name); save both alike, or set adapter to false")
            }
        }
        for index in workbench.layers.indices { try add(index) }
        if kind == .ia3 { try checkGains() }
        guard !modules.isEmpty else {
            throw fault(first, "no module is left that only adapters change; set adapter to false")
        }
    }

    /// Names of the tasks of the release that is deployed.
    private static func deployedTasks(_ plan: MergePlan) throws -> Set<String> {
        guard let release = plan.deployed?.directory else { return [] }
        let record = try JSON.decode(
            ReleaseRecord.self, from: Data(Durable.contents(release + "/release.json")))
        return Set(record.tasks.map(\.name))
    }

    /// Why a task keeps the release from being one adapter, and what to do.
    func fault(_ task: TaskModel, _ reason: String) -> MergeError {
        .task(task.name, "the release can't be written as one adapter, as the settings have it: \(reason)")
    }

    /// Tasks that change the layer.
    func owners(of index: Int) -> [Int] {
        workbench.tasks.indices.filter { workbench.tasks[$0].moves(workbench.layers[index].name) }
    }

    /// Decides how a layer is written.
    private mutating func add(_ index: Int) throws {
        let layer = workbench.layers[index]
        let owners = owners(of: index)
        guard let first = owners.first else { return }
        let names = owners.map { workbench.tasks[$0].adapter?.targets[layer.name] ?? layer.name }
        if let place = names.firstIndex(where: { $0 != names[0] }) {
            throw fault(
                workbench.tasks[owners[place]],
                "it calls \(layer.name) \(names[place]), and \(workbench.tasks[first].name) \(names[0]); train both on one "
                    + "kind of model, or set adapter to false")
        }
        let isReplaced = owners.contains { workbench.tasks[$0].replaces(layer.name) }
        if isReplaced || layer.shape.count < 2 {
            whole[index] = names[0]
        } else {
            modules[index] = String(names[0].dropLast(".weight".count))
        }
    }

    /// Biases that a vector of (IA)³ scales with its module's weight are no tensors of their own.
    mutating func keep(_ biases: Set<Int>) { for index in biases { whole[index] = nil } }

    /// Writes `adapter/adapter_model.safetensors` and `adapter/adapter_config.json` into `directory`, where the merged model
    /// lies already.
    func write(_ weights: MergingWeights, to directory: String) throws -> [SourceFile] {
        let model = try Checkpoint(directory: directory)
        try Durable.createDirectories("\(directory)/\(Self.folder)")
        var parts: [Part] = []
        var description = AdapterDescription(kind: kind, ranks: [:])
        description.isTransposed = isTransposed
        for (index, module) in modules.sorted(by: { $0.key < $1.key }) {
            switch kind {
            case .lora:
                let factors = try factors(of: index, in: module, weights)
                description.ranks[module] = factors[0].slot.shape[0]
                parts += factors
            case .ia3:
                let vector = try vector(of: index, in: module, weights)
                description.ranks[module] = 1
                if scalesInputs(index) { description.feedforward.append(module) }
                parts.append(vector)
            }
        }
        let rest = whole.sorted { $0.key < $1.key }.map { (workbench.layers[$0.key].name, $0.value) }
        description.hasBiases = rest.contains { $0.1.hasSuffix(".bias") }
        return [
            try writeTensors(parts, rest, of: model, to: directory),
            try writeConfiguration(description, to: directory),
        ]
    }

    private func writeTensors(
        _ parts: [Part], _ rest: [(layer: String, name: String)], of model: Checkpoint, to directory: String
    ) throws -> SourceFile {
        let name = "\(Self.folder)/\(Adapter.weightsName)"
        let adapted = Set(modules.values)
        let entries = rest.compactMap { item in model.entry(item.layer).map { ($0, item.name) } }
            .sorted { $1.0.dtype.byteCount < $0.0.dtype.byteCount }
        let wide = entries.filter { $0.0.dtype.byteCount > 4 }
        let narrow = entries.dropFirst(wide.count)
        func slot(_ entry: TensorEntry, _ target: String) -> SafetensorsWriter.Slot {
            .init(name: Self.stored(target, adapted), dtype: entry.dtype, shape: entry.shape)
        }
        let writer = try SafetensorsWriter(
            path: "\(directory)/\(name)", slots: wide.map(slot) + parts.map(\.slot) + narrow.map(slot))
        for (entry, _) in wide { try copy(entry, of: model, to: writer) }
        for part in parts { try unsafe part.values.withUnsafeBytes { try unsafe writer.append($0) } }
        for (entry, _) in narrow { try copy(entry, of: model, to: writer) }
        let written = try writer.finish()
        return SourceFile(name: name, bytes: written.bytes, sha256: written.sha256)
    }

    private func copy(_ entry: TensorEntry, of model: Checkpoint, to writer: SafetensorsWriter) throws {
        let length = entry.bytes.upperBound - entry.bytes.lowerBound
        var bytes = [UInt8](repeating: 0, count: Int(min(length, 1 << 20)))
        for offset in stride(from: 0, to: length, by: 1 << 20) {
            try unsafe bytes.withUnsafeMutableBytes { buffer in
                let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(length - offset, 1 << 20))])
                try unsafe model.read(entry.name, at: offset, into: part)
                try unsafe writer.append(UnsafeRawBufferPointer(part))
            }
        }
    }

    private func writeConfiguration(_ description: AdapterDescription, to directory: String) throws -> SourceFile {
        let name = "\(Self.folder)/\(AdapterConfiguration.fileName)"
        let content = try description.content()
        let file = try WritableFile(creating: "\(directory)/\(name)")
        try file.append(content)
        try file.finish(sync: false)
        return SourceFile(name: name, bytes: Int64(content.count), sha256: Digest.sha256(content))
    }

    /// What PEFT calls a tensor that is there whole: in an adapted module it lies one step deeper.
    private static func stored(_ target: String, _ adapted: Set<String>) -> String {
        let parts = target.split(separator: ".", omittingEmptySubsequences: false)
        let module = parts.dropLast().joined(separator: ".")
        let name = adapted.contains(module) ? "\(module).base_layer.\(parts.last ?? "")" : target
        return prefix + name
    }

    static let prefix = "base_model.model."
}
