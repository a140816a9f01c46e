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

    /// How many times as large, or as small, as the base's the matrices of a fine-tune may be, by their norm.
    static let mostGrowth = 10.0

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
        // Of an adapter those are the tensors that it holds whole.
        try checkConstants(reading.constants)
        try checkHoles(reading.zeroed)
        if let adapter {
            try checkUpdates(adapter, reading.constants)
            try checkSizes(adapter)
        } else {
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
                let usual = try base.constant(name)
                if usual.map({ !Self.areNear($0, constants[name] ?? 0) }) ?? true { wrong.append(name) }
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
                + "copy the whole checkpoint again, or save it again")
    }

    /// A copy or a download that was cut off leaves zeros in one piece.
    private func checkHoles(_ zeroed: [String: ZeroedElements]) throws(AdmissionFault) {
        let torn = zeroed.filter { $0.value.longest >= ZeroedElements.longestAllowed }.keys.sorted()
        guard let first = torn.first, let share = zeroed[first]?.longest else { return }
        throw .refused(
            code: "zero-tensor",
            message:
                "\(torn.firstFew): \(Int(share * 100)) % of the elements, in one piece, are zero where the base's are "
                + "not: a copy or download was cut off; copy the whole checkpoint again")
    }

    /// What is said of elements that are zero where the base's are not, in one line; nil where they are few.
    static func warning(of zeroed: [String: ZeroedElements]) -> String? {
        let pruned = zeroed.filter { $0.value.share >= ZeroedElements.shareToName }
        guard let most = pruned.map(\.value.share).max() else { return nil }
        return
            "up to \(Int(most * 100)) % of the elements of \(pruned.keys.sorted().firstFew) are zero where the base's "
            + "are not, as pruning leaves them: a merge with other tasks fills them again"
    }

    /// What is said of matrices that point another way than the base's, in one line; nil where there are none.
    static func warning(ofTurned turned: [String: Double]) -> String? {
        guard let least = turned.values.min() else { return nil }
        return
            "\(turned.keys.sorted().firstFew): far from the base's (cosine \((least * 100).rounded() / 100)): damaged, "
            + "another tensor's, or trained anew: compare with the checkpoint that was saved"
    }

    /// Whether two values are one but for the rounding of narrow types.
    private static func areNear(_ first: Double, _ second: Double) -> Bool {
        abs(first - second) <= 0.01 * max(abs(first), abs(second))
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
        let growth = (resemblance.own / resemblance.theirs).squareRoot()
        guard growth < Self.mostGrowth, growth > 1 / Self.mostGrowth else {
            throw .refused(
                code: "another-base",
                message:
                    "its matrices are \(Float(growth)) times as large as the base's (between \(1 / Self.mostGrowth) "
                    + "and \(Self.mostGrowth) is expected): they were scaled, or saved before they were scaled back; "
                    + "save the fine-tune again")
        }
        guard !(cosine >= Self.leastCosine) else { return }
        let hundredths = (cosine * 100).rounded() / 100
        throw .refused(
            code: "another-base",
            message:
                "its weights lie far from the base's (cosine \(hundredths), at least \(Self.leastCosine) is needed); "
                + "it was fine-tuned from another base, or not at all: upload a fine-tune of this one")
    }

    /// Whether the tensors that the cosine leaves out, such as biases, are the base's, too.
    private func holdsNothingNew() throws(AdmissionFault) -> Bool {
        let base = parameters.base.checkpoint
        do throws(SafetensorsError) {
            for name in checkpoint.names where checkpoint.entry(name)?.dtype.kind == .real {
                guard base.entry(name) != nil else { return false }
                if try !checkpoint.holdsValues(name, of: base) { return false }
            }
            return true
        } catch {
            throw AdmissionFault(error)
        }
    }
}
