import Files

/// What a configuration of a sentence-transformers module says, with the defaults and names of that library's versions
/// levelled, so that two that mean the same are equal.
struct ModuleSettings: Hashable {
    /// Values that a module has where its configuration does not state them.
    private static let defaults: [String: JSONValue] = [
        "include_prompt": true, "bias": true, "module_input_name": "sentence_embedding",
        "module_output_name": "sentence_embedding",
    ]
    private static let mode = "pooling_mode"
    private static let mean = "pooling_mode_mean_tokens"
    /// What `pooling_mode` calls the flags of older versions.
    private static let modes = [
        "cls": "pooling_mode_cls_token", "max": "pooling_mode_max_tokens", "mean": mean,
        "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
        "weightedmean": "pooling_mode_weightedmean_tokens", "lasttoken": "pooling_mode_lasttoken",
    ]

    private let value: JSONValue

    /// Of `modules.json`: the modules' paths and classes, wherever a version keeps the class.
    init(modules value: JSONValue) {
        guard case .array(let items) = value else {
            self.value = value
            return
        }
        self.value = .array(
            items.map { item in
                let type = item.members["type"]?.text?.split(separator: ".").last.map(String.init) ?? ""
                return .array([item.members["path"] ?? "", .string(type)])
            })
    }

    /// Of a module's own configuration.
    init(_ value: JSONValue) {
        guard case .object(var members) = value else {
            self.value = value
            return
        }
        if let mode = members.removeValue(forKey: Self.mode) {
            for name in mode.text.map({ [$0] }) ?? mode.elements.compactMap(\.text) {
                members[Self.modes[name] ?? name] = true
            }
        } else if members.keys.contains(where: { $0.hasPrefix("pooling_mode_") }), members[Self.mean] == nil {
            members[Self.mean] = true
        }
        self.value = .object(
            members.filter { key, value in
                Self.defaults[key].map { !$0.isEqual(toPythons: value) } ?? !value.isOff
            }.mapValues(\.wholeAsInteger))
    }
}

extension JSONValue {
    /// 1.0 as 1, so that Python's equal numbers are equal here.
    fileprivate var wholeAsInteger: JSONValue {
        if case .number(let number) = self, let whole = Int(exactly: number) { .integer(whole) } else { self }
    }
}
