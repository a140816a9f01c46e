import Files

/// How images and sounds become a model's inputs, which a release has from the base: `preprocessor_config.json`, or
/// `processor_config.json` of newer libraries, which holds the same in an object for each kind.
extension CompanionCheck {
    private static let files = ["preprocessor_config.json", "video_preprocessor_config.json"]
    private static let joint = "processor_config.json"
    private static let parts = ["image_processor", "feature_extractor", "audio_processor"]

    /// Keys that change the values of inputs, with the key that switches each off.
    private static let keys: [String: String] = [
        "image_mean": "do_normalize", "image_std": "do_normalize", "rescale_factor": "do_rescale",
        "crop_size": "do_center_crop", "size": "do_resize", "resample": "do_resize", "do_normalize": "",
        "do_rescale": "", "do_resize": "", "do_center_crop": "", "patch_size": "", "merge_size": "",
        "temporal_patch_size": "", "num_mel_bins": "", "feature_size": "", "sampling_rate": "", "hop_length": "",
        "n_fft": "", "chunk_length": "",
    ]
    /// Keys that bound the number of pixels, which a server may set as it has memory.
    private static let bounds = ["min_pixels", "max_pixels"]
    /// From here on an edge is a number of pixels of the whole image.
    private static let longestEdge = 65_536.0

    /// Throws where the task prepares inputs otherwise than the base. Returns warnings, each one line.
    func checkProcessor(_ task: UploadReader) throws(AdmissionFault) -> [String] {
        var warnings: [String] = []
        for name in Self.files {
            guard let own = try Self.settings(name, task), let other = try Self.settings(name, reader) else { continue }
            let differing = Self.keys.keys.sorted().filter { key in
                guard let first = own[key], let second = other[key] else { return false }
                let isUsed = [own, other].contains { $0[Self.keys[key] ?? ""] != .bool(false) }
                return isUsed && !Self.areSame(first, second)
            }
            let (bounded, faults) = (
                differing.filter { Self.isBound(own[$0]) }, differing.filter { !Self.isBound(own[$0]) }
            )
            let text = { (keys: [String]) in
                keys.prefix(3).map { "`\($0)` is \(Self.text(own[$0])), the base's \(Self.text(other[$0]))" }
                    .joined(separator: "; ")
            }
            guard faults.isEmpty else {
                throw .refused(
                    code: "configuration-differs",
                    message:
                        "its \(name) prepares inputs otherwise than the base's: \(text(faults)); a release has the "
                        + "base's, so fine-tune with that, or correct the file")
            }
            let rest = bounded + Self.bounds.filter { own[$0] != nil && other[$0] != nil && own[$0] != other[$0] }
            if !rest.isEmpty {
                warnings.append(
                    "its \(name) bounds images otherwise than the base's, which the release has: \(text(rest))")
            }
        }
        return warnings
    }

    /// What a file states, or the part of the joint one that stands for it; nil where neither is there.
    private static func settings(
        _ name: String, _ reader: UploadReader
    ) throws(AdmissionFault) -> [String: JSONValue]? {
        if let values = try object(name, reader) { return values.filter { $0.value != .null } }
        guard let values = try object(joint, reader) else { return nil }
        let wanted = name == files[0] ? parts : ["video_processor"]
        let found = wanted.compactMap { values[$0]?.members }.filter { !$0.isEmpty }
        guard !found.isEmpty else { return nil }
        return found.reduce(into: [:]) { all, part in all.merge(part.filter { $0.value != .null }) { first, _ in first }
        }
    }

    /// Numbers are the same but for their rounding. A size is a number, or an object whose members are that number.
    private static func areSame(_ first: JSONValue, _ second: JSONValue) -> Bool {
        if first.isEqual(toPythons: second) { return true }
        if let one = first.double, let other = second.double {
            return abs(one - other) <= 1e-5 * max(abs(one), abs(other))
        }
        if case .array(let items) = first, case .array(let others) = second, items.count == others.count {
            return zip(items, others).allSatisfy { areSame($0, $1) }
        }
        for (number, object) in [(first, second), (second, first)] {
            guard number.double != nil, case .object(let members) = object, !members.isEmpty else { continue }
            if members.values.allSatisfy({ $0.isEqual(toPythons: number) }) { return true }
        }
        return false
    }

    private static func isBound(_ value: JSONValue?) -> Bool {
        value?.members.values.contains { ($0.double ?? 0) >= longestEdge } ?? false
    }

    private static func text(_ value: JSONValue?) -> String {
        switch value {
        case .array(let items)?: "[\(items.map(\.phrase).joined(separator: ", "))]"
        case .object(let members)?:
            members.sorted { $0.key < $1.key }.map { "\(shown($0.key)) \($0.value.phrase)" }.joined(separator: ", ")
        case let value?: value.phrase
        case nil: "not stated"
        }
    }
}
