import Adapters
import Files
import Safetensors

/// Whether a checkpoint's values can be those of a fine-tune of the base. Needs no examples.
struct ValueCheck {
    /// Least cosine between the trunk's matrices of a task and of its base. Fine-tunes lie far above: 0.979 to 0.992
    /// for the four full fine-tunes of a small vision transformer, 0.9988 to 0.9993 for four folded adapters of a
    /// MiniLM. A model of the same architecture that was trained apart from the base lies near 0 (0.001 with the base's
    /// own values shuffled).
    static let leastCosine = 0.5

    let parameters: ParameterCheck
    /// What the task holds whole, by the base's names.
    let checkpoint: Checkpoint
    /// Where the task is one.
    let adapter: Adapter?
    /// Whether the task has tensors of its own, which no merge moves.
    let hasHead: Bool

    /// Throws where tensors are constant that the base's are not, where nothing differs from the base, or where the
    /// trunk points another way.
    func check(_ reading: WeightsReading) throws(AdmissionFault) {
        if let adapter {
            try checkUpdates(adapter, reading.constants)
        } else {
            try checkConstants(reading.constants)
            if let resemblance = reading.resemblance { try check(resemblance) }
        }
    }

    /// Training moves the elements of a tensor apart.
    private func checkConstants(_ constants: [String: Double]) throws(AdmissionFault) {
        var wrong: [String] = []
        for name in constants.keys.sorted() where !parameters.isHead(name) && !parameters.base.isSpare(name) {
            let base = parameters.base.checkpoint
            guard let entry = checkpoint.entry(name), base.entry(name)?.shape == entry.shape else { continue }
            do throws(SafetensorsError) {
                if try !base.isConstant(name) { wrong.append(name) }
            } catch {
                throw AdmissionFault(error)
            }
        }
        guard !wrong.isEmpty else { return }
        let values = Set(wrong.compactMap { constants[$0] })
        let what = values == [0] ? "zero" : values.count == 1 ? "\(Float(values.first ?? 0))" : "the same"
        throw .refused(
            code: "zero-tensor",
            message:
                "\(wrong.firstFew): every element is \(what), which the base's are not and no training makes them; "
                + "copy the whole "
                + "checkpoint again, or save it again")
    }

    private func check(_ resemblance: CosineSums) throws(AdmissionFault) {
        if resemblance.isEqual, !hasHead, try holdsNothingNew() {
            throw .refused(
                code: "equals-base",
                message:
                    "every tensor is the base's: it is the base itself, and not a fine-tune; upload the fine-tuned "
                    + "checkpoint"
            )
        }
        guard resemblance.theirs > 0 else { return }
        guard let cosine = resemblance.cosine else {
            throw .refused(
                code: "zero-tensor",
                message: "every matrix is zero everywhere, and the base's are not; copy the whole checkpoint again")
        }
        guard !(cosine >= Self.leastCosine) else { return }
        let hundredths = (cosine * 100).rounded() / 100
        throw .refused(
            code: "another-base",
            message:
                "its weights lie far from the base's (cosine \(hundredths), at least \(Self.leastCosine) is needed); "
                + "it was fine-tuned from another base, or not at all: drop a fine-tune of this one")
    }

    /// Whether the tensors that the cosine leaves out, such as biases, are the base's, too.
    private func holdsNothingNew() throws(AdmissionFault) -> Bool {
        let base = parameters.base.checkpoint
        do throws(SafetensorsError) {
            for name in checkpoint.names where checkpoint.entry(name)?.dtype.kind == .real {
                guard base.entry(name) != nil else { return false }
                if try !checkpoint.holdsSame(name, as: name, of: base) { return false }
            }
            return true
        } catch {
            throw AdmissionFault(error)
        }
    }

    /// An adapter whose products are all zero, or whose gains are all one, was saved before it was trained.
    private func checkUpdates(_ adapter: Adapter, _ constants: [String: Double]) throws(AdmissionFault) {
        let moves = adapter.updates.values.contains { update in
            switch update.structure {
            case _ where update.isReplaced: true
            case .lowRank(let left, let right, _, let scale):
                scale != 0 && constants[left.name] != 0 && constants[right.name] != 0
            case .rowGains(let factor), .columnGains(let factor, _): !factor.name.isEmpty && constants[factor.name] != 1
            case nil: false
            }
        }
        guard !moves, !hasHead, !adapter.updates.isEmpty else { return }
        throw .refused(
            code: "equals-base",
            message:
                "the adapter changes nothing: of every product one factor is zero; it was saved before it was "
                + "trained: upload the "
                + "trained one")
    }
}
