import Files
package import Safetensors

extension AdmissionFault {
    /// What to do where a checkpoint lacks tensors.
    package static let saveWhole =
        "save the whole model, with its head, under the base's names, with or without a prefix such as model. or "
        + "module."

    /// A checkpoint lacks tensors that are merged, or its head's.
    package static func missingParameters(_ names: [String], _ advice: String = saveWhole) -> AdmissionFault {
        .refused(code: "missing-parameter", message: "the checkpoint lacks \(names.firstFew); \(advice)")
    }

    /// The index names tensors that no shard holds; nil where each is there under a tied name, or may be left out.
    static func absent(
        _ checkpoint: Checkpoint, tied: (String) -> [String], isSpare: (String) -> Bool
    ) -> AdmissionFault? {
        let missing = checkpoint.absent.filter { name in
            tied(name).allSatisfy { checkpoint.entry($0) == nil } && !isSpare(name)
                && !AuxiliaryTensors.isBuffer(name, shape: [])
        }
        guard !missing.isEmpty else { return nil }
        return .refused(
            code: "missing-parameter",
            message:
                "\(Checkpoint.indexName) names \(missing.firstFew), which no shard holds: the save or the copy was "
                + "interrupted; save the model again, or copy every shard again")
    }

    /// An adapter holds only what is added to a head, which each task brings whole.
    package static func partialHead(_ names: [String]) -> AdmissionFault {
        .refused(
            code: "adapter-unsupported",
            message:
                "\(names.firstFew) belongs to the head, and the adapter holds only what is added to it; list the "
                + "head's modules in modules_to_save")
    }

    /// A tensor of the named file holds NaN or an infinity.
    package static func notFinite(_ tensor: String, in file: String) -> AdmissionFault {
        .refused(
            code: "not-finite",
            message:
                "\(file): tensor `\(shown(tensor))` holds NaN or infinity; save a checkpoint from before it diverged")
    }

    /// A tensor is of integers where the base's is of floating point, or the other way round.
    package static func wrongType(
        _ name: String, _ dtype: SafetensorsDType, base: SafetensorsDType
    ) -> AdmissionFault {
        .refused(
            code: "wrong-dtype",
            message:
                "`\(shown(name))` is \(dtype.rawValue) where the base has \(base.rawValue); save the fine-tune in a "
                + "floating-point type")
    }
}
