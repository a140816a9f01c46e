import Adapters
import Files
import Safetensors

/// Compares a task's tensors with the base's by name, shape and type.
struct ParameterCheck {
    let base: BaseModel
    /// Name prefixes of the head by `task.yaml`; empty: the graph's parameters that the base lacks.
    let head: [String]

    /// What a remembered comparison is known by: the base, and what of the task is left out of it.
    var comparison: String { ([base.digest] + head.sorted()).joined(separator: " ") }

    /// Whether a task's tensor takes part in the cosine: a head starts anywhere.
    func isCompared(_ entry: TensorEntry) -> Bool { base.isCompared(entry) && !isHead(entry.name) }

    /// Throws the first kind of fault with the first few names.
    func check(_ checkpoint: Checkpoint) throws(AdmissionFault) {
        try QuantisedWeights.check(checkpoint)
        let ofHead = (base.signature?.parameters.map(\.name) ?? []).filter { isHead($0) }
        // Integers are the base's own business: newer libraries don't save buffers such as position_ids.
        let trunk = base.checkpoint.names.filter { name in
            !isHead(name) && !base.isSpare(name) && base.checkpoint.entry(name)?.dtype.kind == .real
        }
        let wanted = Set(trunk + base.headParameters + ofHead).sorted()
        try checkPresence(
            of: wanted, in: checkpoint, AdmissionFault.saveWhole)
        try checkNames(checkpoint)
        for name in checkpoint.names { try checkShape(name, checkpoint) }
    }

    /// The same for an adapter, whose own matching has looked at what it changes.
    func check(_ adapter: Adapter) throws(AdmissionFault) {
        let ofHead = (base.signature?.parameters.map(\.name) ?? []).filter { isHead($0) }
        let partial = adapter.updates.keys.sorted().filter { isHead($0) && adapter.updates[$0]?.structure != nil }
        guard partial.isEmpty else {
            throw .partialHead(partial)
        }
        try checkPresence(
            of: Set(base.headParameters + ofHead).sorted(), in: adapter.checkpoint,
            "list the head's modules in modules_to_save")
        try checkNames(adapter.checkpoint)
        for name in adapter.checkpoint.names { try checkShape(name, adapter.checkpoint) }
    }

    private func checkPresence(
        of wanted: [String], in checkpoint: Checkpoint, _ advice: String
    ) throws(AdmissionFault) {
        let missing = wanted.filter { name in base.tied(name).allSatisfy { checkpoint.entry($0) == nil } }
        guard missing.isEmpty else {
            throw .missingParameters(missing, advice)
        }
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
                        "`\(name.printable)` is empty, \(entry.shape), and the base's is \(other.shape): under "
                        + "DeepSpeed ZeRO-3 "
                        + "and FSDP a plain save writes placeholders; gather the weights (zero_to_fp32.py, or "
                        + "stage3_gather_16bit_weights_on_model_save) and save again")
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
    /// agrees. Nil where there is no head or its last layer can't be told.
    func classes(_ checkpoint: Checkpoint) -> Int? {
        let names = head.isEmpty ? base.headParameters : (base.signature?.parameters.map(\.name) ?? []).filter(isHead)
        let shapes = names.compactMap { checkpoint.entry($0)?.shape }
        guard let last = shapes.last, let count = last.first else { return nil }
        if last.count == 2 { return count }
        return shapes.dropLast().last.flatMap { $0.count == 2 && $0.first == count ? count : nil }
    }

    /// What a release takes from the base in the place of the task's, each in one line.
    func warnings(of checkpoint: Checkpoint) -> [String] {
        guard let rows = checkpoint.vocabularyRows else { return [] }
        return [
            rows.own < rows.base
                ? "its vocabulary has \(rows.own) rows, the base's \(rows.base): the rest stay the base's"
                : "its vocabulary has \(rows.own) rows, the base's \(rows.base): the rest are left out as padding"
        ]
    }
}
