import Adapters
import Files
import Safetensors

/// Compares a task's tensors with the base's by name, shape and type.
struct ParameterCheck {
    let base: BaseModel
    /// Name prefixes of the head by `task.yaml`; empty: the graph's parameters that the base lacks.
    let head: [String]
    /// Whether the task is of use without the graph's head.
    var needsNoHead = false

    /// The head that the task must bring.
    private var neededHead: [String] { needsNoHead ? [] : base.headParameters }

    /// What a remembered comparison is known by: the base, and what of the task is left out of it.
    var comparison: String { ([base.digest] + head.sorted()).joined(separator: " ") }

    /// Whether a task's tensor takes part in the cosine: a head starts anywhere.
    func isCompared(_ entry: TensorEntry) -> Bool { base.isCompared(entry) && !isHead(entry.name) }

    /// Throws the first kind of fault with the first few names.
    func check(_ checkpoint: Checkpoint) throws(AdmissionFault) {
        try QuantisedWeights.check(checkpoint)
        if let fault = AdmissionFault.absent(checkpoint, tied: base.tied, isSpare: isSpare) { throw fault }
        let ofHead = (base.signature?.parameters.map(\.name) ?? []).filter { isHead($0) }
        // Integers are the base's own business: newer libraries don't save buffers such as position_ids.
        let trunk = base.checkpoint.names.filter { name in
            !isHead(name) && !base.isSpare(name) && base.checkpoint.entry(name)?.dtype.kind == .real
        }
        let wanted = Set(trunk + neededHead + ofHead).sorted()
        try checkPresence(
            of: wanted, in: checkpoint, AdmissionFault.saveWhole)
        try checkNames(checkpoint)
        for name in checkpoint.names { try checkShape(name, checkpoint) }
    }

    /// Whether it is a tensor of the base that tasks may lack.
    private func isSpare(_ name: String) -> Bool { base.checkpoint.entry(name) != nil && base.isSpare(name) }

    /// The same for an adapter, whose own matching has looked at what it changes.
    func check(_ adapter: Adapter) throws(AdmissionFault) {
        let ofHead = (base.signature?.parameters.map(\.name) ?? []).filter { isHead($0) }
        let partial = adapter.updates.keys.sorted().filter { isHead($0) && adapter.updates[$0]?.structure != nil }
        guard partial.isEmpty else {
            throw .partialHead(partial)
        }
        try checkPresence(
            of: Set(neededHead + ofHead).sorted(), in: adapter.checkpoint,
            "list the head's modules in modules_to_save")
        try checkNames(adapter.checkpoint)
        for name in adapter.checkpoint.names { try checkShape(name, adapter.checkpoint) }
    }

    private func checkPresence(
        of wanted: [String], in checkpoint: Checkpoint, _ advice: String
    ) throws(AdmissionFault) {
        let missing = wanted.filter { name in base.tied(name).allSatisfy { checkpoint.entry($0) == nil } }
        guard missing.isEmpty else {
            // By the names that find most of the base's, what is said to be missing is what is missing.
            let nearest = checkpoint.fitted(toMost: wanted.map(base.tied))
            let lacking = missing.filter { name in base.tied(name).allSatisfy { nearest.entry($0) == nil } }
            throw .missingParameters(
                lacking.isEmpty ? missing : lacking,
                Self.foreignForm(of: checkpoint) ?? otherHead(checkpoint, missing) ?? advice)
        }
    }

    /// What to do where the names are those of a model around which an adapter still is, or of another library.
    private static func foreignForm(of checkpoint: Checkpoint) -> String? {
        if let name = checkpoint.names.first(where: { $0.contains(".base_layer.") || $0.contains(".lora_A.") }) {
            return
                "it holds `\(shown(name))` of an adapter that was not merged: call merge_and_unload() before the save, "
                + "or upload what save_pretrained of PEFT's model writes"
        }
        guard let name = checkpoint.names.first(where: { $0.hasSuffix("tok_embeddings.weight") }) else { return nil }
        return
            "`\(shown(name))` is Meta's name, and torchtune's and torchtitan's: convert it with the "
            + "convert_*_weights_to_hf script of transformers"
    }

    /// What to do where all that is missing is the head, and the checkpoint has one of another kind.
    private func otherHead(_ checkpoint: Checkpoint, _ missing: [String]) -> String? {
        let (heads, known) = (Set(base.headParameters), base.knownNames)
        let own = checkpoint.names.filter { name in
            base.checkpoint.entry(name) == nil && !known.contains(name) && !isHead(name)
        }
        guard !own.isEmpty, missing.allSatisfy(heads.contains) else { return nil }
        return
            "its head is of another kind, \(own.firstFew): merge fine-tunes with the head of the base's graph, or name "
            + "theirs under `architectures` in the base's config.json"
    }

    private func checkNames(_ checkpoint: Checkpoint) throws(AdmissionFault) {
        let known = base.knownNames
        let extra = checkpoint.names.filter { name in
            base.checkpoint.entry(name) == nil && !known.contains(name) && !isHead(name)
        }
        guard extra.isEmpty else {
            throw .refused(
                code: "extra-parameter",
                message:
                    "neither the base nor its graph has \(extra.firstFew); remove it, or name it under `head` in "
                    + "task.yaml"
            )
        }
    }

    /// Whether `task.yaml` gives the tensor to the head, by any of its names.
    func isHead(_ name: String) -> Bool {
        head.contains { prefix in base.tied(name).contains { $0.hasPrefix(prefix) } }
    }

    private func checkShape(_ name: String, _ checkpoint: Checkpoint) throws(AdmissionFault) {
        guard let entry = checkpoint.entry(name) else { return }
        if let other = base.checkpoint.entry(name), !isHead(name) {
            if entry.elementCount == 0, other.elementCount > 0 {
                throw .refused(
                    code: "wrong-shape",
                    message:
                        "`\(name.printable)` is empty, \(entry.shape), and the base's is \(other.shape): "
                        + Checkpoint.emptied)
            }
            if let fault = Checkpoint.mismatch(of: name.printable, entry.shape, base: other.shape) {
                throw .refused(code: "wrong-shape", message: fault)
            }
            guard entry.dtype.kind == other.dtype.kind else {
                throw .wrongType(name, entry.dtype, base: other.dtype)
            }
        } else if let slot = base.signature?.parameters.first(where: { $0.name == name }) {
            guard entry.shape.count == slot.shape.count, entry.dtype.kind == .real else {
                throw .refused(
                    code: "wrong-shape",
                    message: "`\(name.printable)` of the head is \(entry.dtype.rawValue) \(entry.shape), but the graph "
                        + "takes a floating-point tensor of \(slot.shape.count) axes; save the head that the graph has")
            }
        }
    }

    /// How many classes the head tells apart: the first axis of its last matrix, or of its last vector where that
    /// agrees. Nil where there is no head or its last layer can't be told, and where the outputs are as many as the
    /// text's tokens or an example's choices.
    func classes(_ checkpoint: Checkpoint) -> Int? {
        if let last = base.signature?.output.last, last == nil { return nil }
        let names = head.isEmpty ? base.headParameters : (base.signature?.parameters.map(\.name) ?? []).filter(isHead)
        let shapes = names.compactMap { checkpoint.entry($0)?.shape }
        guard let last = shapes.last, let count = last.first else { return nil }
        if last.count == 2 { return count }
        return shapes.dropLast().last.flatMap { $0.count == 2 && $0.first == count ? count : nil }
    }

    /// What a release takes from the base in the place of the task's, each in one line.
    func warnings(of checkpoint: Checkpoint, isAdapter: Bool) -> [String] {
        var warnings: [String] = []
        if let rows = checkpoint.vocabularyRows {
            let rest = rows.own < rows.base ? "the rest stay the base's" : "the rest are left out as padding"
            warnings.append("its vocabulary has \(rows.own) rows, the base's \(rows.base): \(rest)")
        }
        let lacking = isAdapter ? [] : basesAlone(checkpoint)
        if !lacking.isEmpty {
            warnings.append("a release keeps what the base alone has: \(lacking.firstFew)")
        }
        return warnings
    }

    /// Tensors of floating point that the base has and `checkpoint` lacks under any name, but buffers and the head.
    private func basesAlone(_ checkpoint: Checkpoint) -> [String] {
        base.checkpoint.names.filter { name in
            guard let entry = base.checkpoint.entry(name), entry.dtype.kind == .real, !isHead(name) else {
                return false
            }
            return !AuxiliaryTensors.isBuffer(name, shape: entry.shape)
                && base.tied(name).allSatisfy { checkpoint.entry($0) == nil }
        }
    }
}
