internal import Adapters
internal import Files
internal import Foundation
internal import Safetensors
internal import Torch
internal import WorkerProtocol

/// The merge of LoRAs, or of (IA)³ adapters, as one adapter of that kind, which PEFT loads onto the base.
///
/// Of LoRAs: θm − θp = Σᵢ diag(cᵢ) · sᵢBᵢAᵢ · diag(gᵢ), whose factors side by side are a LoRA of the sum of the ranks.
/// Of (IA)³ vectors lᵢ: 1 + Σᵢ cᵢ (lᵢ − 1). Biases, and what some task saved whole, come as the merged model has them.
/// Memory: the factors of one tensor, or a megabyte.
struct MergedAdapter {
    static let folder = "adapter"
    /// What PEFT puts before every name.
    static let prefix = "base_model.model."

    let context: MergeContext
    let kind: AdapterConfiguration.Kind
    /// Adapted matrices: what the layer's module is called in the adapters.
    private(set) var modules: [Int: String] = [:]
    /// Layers that are written whole, by their names in the adapters.
    private(set) var whole: [Int: String] = [:]
    let isTransposed: Bool

    /// Throws `MergeError`, before anything is merged, where the merge is no one adapter: it blames a task that differs
    /// from those that are deployed already, or from the first.
    init(_ context: MergeContext) throws {
        self.context = context
        let deployed = Set(context.plan.deployed?.record?.tasks.map(\.name) ?? [])
        guard let first = context.tasks.first(where: { deployed.contains($0.name) }) ?? context.tasks.first else {
            throw MergeError.base("there is no task to write an adapter of")
        }
        kind = first.adapter?.configuration.kind ?? .lora
        isTransposed = first.adapter?.configuration.isTransposed ?? false
        for task in [first] + context.tasks {
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
        for index in context.layers.indices { try add(index) }
        switch kind {
        case .lora: try checkFactors()
        case .ia3: try checkGains()
        }
        guard !modules.isEmpty else {
            throw fault(first, "no module is left that only adapters change; set adapter to false")
        }
    }

    /// Why a task keeps the release from being one adapter, and what to do.
    func fault(_ task: TaskModel, _ reason: String) -> MergeError {
        .task(task.name, "the release can't be written as one adapter, as the settings have it: \(reason)")
    }

    /// Tasks that change the layer.
    func owners(of index: Int) -> [Int] {
        context.tasks.indices.filter { context.tasks[$0].moves(context.layers[index].name) }
    }

    /// Decides how a layer is written.
    private mutating func add(_ index: Int) throws {
        let layer = context.layers[index]
        let owners = owners(of: index)
        guard let first = owners.first else { return }
        if let other = context.ties.names(with: layer.name).first(where: { $0 != layer.name }) {
            throw fault(
                context.tasks[first],
                "it changes \(layer.name), which the base ties to \(other), and PEFT would untie them; set adapter to "
                    + "false"
            )
        }
        let names = owners.map { context.tasks[$0].adapter?.targets[layer.name] ?? layer.name }
        if let place = names.firstIndex(where: { $0 != names[0] }) {
            throw fault(
                context.tasks[owners[place]],
                "it calls \(layer.name) \(names[place]), and \(context.tasks[first].name) \(names[0]); train both on "
                    + "one kind of model, or set adapter to false")
        }
        let isReplaced = owners.contains { context.tasks[$0].replaces(layer.name) }
        if isReplaced || layer.shape.count < 2 {
            whole[index] = names[0]
        } else {
            modules[index] = String(names[0].dropLast(".weight".count))
        }
    }

    /// Biases that a vector of (IA)³ scales with its module's weight are no tensors of their own.
    mutating func leaveOut(_ biases: Set<Int>) { for index in biases { whole[index] = nil } }

    /// Writes `adapter/adapter_model.safetensors` and `adapter/adapter_config.json` into `directory`, where the merged
    /// model lies already.
    func write(_ weights: MergingWeights, to directory: String) throws -> [SourceFile] {
        let model = try Checkpoint(directory: directory)
        try Durable.createDirectories("\(directory)/\(Self.folder)")
        let name = "\(Self.folder)/\(Adapter.weightsName)"
        let adapted = modules.sorted { $0.key < $1.key }
        let entries = whole.sorted { $0.key < $1.key }.compactMap { index, name in
            model.entry(context.layers[index].name).map { (entry: $0, name: stored(name)) }
        }.sorted { $1.entry.dtype.byteCount < $0.entry.dtype.byteCount }
        let wide = entries.prefix { $0.entry.dtype.byteCount > SafetensorsDType.f32.byteCount }
        let narrow = entries.dropFirst(wide.count)
        let slot = { (entry: TensorEntry, name: String) in
            SafetensorsWriter.Slot(name: name, dtype: entry.dtype, shape: entry.shape)
        }
        let writer = try SafetensorsWriter(
            path: "\(directory)/\(name)",
            slots: wide.map(slot) + adapted.flatMap { slots(of: $0.key, in: $0.value) } + narrow.map(slot))
        for (entry, _) in wide { try copy(entry, of: model, to: writer) }
        for (index, _) in adapted {
            for values in try kind == .lora ? factors(of: index, weights) : [gains(of: index, weights)] {
                try unsafe values.withUnsafeBytes { try unsafe writer.append($0) }
            }
        }
        for (entry, _) in narrow { try copy(entry, of: model, to: writer) }
        let written = try writer.finish()
        return [
            SourceFile(name: name, bytes: written.bytes, sha256: written.sha256),
            try writeConfiguration(to: directory),
        ]
    }

    private func slots(of index: Int, in module: String) -> [SafetensorsWriter.Slot] {
        kind == .lora ? factorSlots(of: index, in: module) : gainSlots(of: index, in: module)
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

    private func writeConfiguration(to directory: String) throws -> SourceFile {
        let name = "\(Self.folder)/\(AdapterConfiguration.fileName)"
        var description = AdapterDescription(kind: kind, ranks: [:])
        for (index, module) in modules {
            description.ranks[module] = slots(of: index, in: module).first?.shape.first ?? 1
        }
        if kind == .ia3 { description.feedforward = modules.filter { scalesInputs($0.key) }.map(\.value) }
        description.isTransposed = isTransposed
        description.hasBiases = whole.values.contains { $0.hasSuffix(".bias") }
        let content = try description.content()
        let file = try WritableFile(creating: "\(directory)/\(name)")
        try file.append(content)
        try file.finish(sync: false)
        return SourceFile(name: name, bytes: Int64(content.count), sha256: Digest.sha256(content))
    }

    /// What PEFT calls a tensor that is there whole: in an adapted module it lies one step deeper.
    private func stored(_ target: String) -> String {
        let parts = target.split(separator: ".", omittingEmptySubsequences: false)
        let module = parts.dropLast().joined(separator: ".")
        let isAdapted = modules.values.contains(module)
        return Self.prefix + (isAdapted ? "\(module).base_layer.\(parts.last ?? "")" : target)
    }
}
