/// Settings as a text that digests are taken over: it differs where the merge may differ.
///
/// Version 1 writes every setting that the program knew then. Later versions leave out what has its default, so that a
/// new setting changes no digest; a new default makes a new version.
package struct SettingsEncoding: Hashable, Sendable {
    /// Of this form and of the defaults that it leaves out.
    package let version: Int
    package let text: String
}

extension MergeSettings {
    /// The version that is written now.
    package static let encodingVersion = 3

    /// By version: what the defaults were until the next one. The last entry is below `encodingVersion`.
    private static let formerDefaults: [Int: @Sendable (inout MergeSettings) -> Void] = [
        2: { ($0.start, $0.steps, $0.schedule) = (.taskVectors, 600, .constant) }
    ]

    /// Settings as versions before 2 wrote them, newest first. A setting that is absent had its default of version 1.
    private static let unversionedKeys: [Set<String>] = {
        let first: Set<String> = [
            "method", "strategy", "fan_in", "granularity", "squash", "loss", "mixup", "steps", "learning_rate",
            "schedule", "arrival_share", "arrival_learning_rate", "batch", "evaluate_every", "patience", "scale",
            "searches_scale", "density", "holdout", "seed", "threads", "device", "precision", "memory",
            "writes_adapter", "max_shard_size",
        ]
        return [first.union(["start", "ridge"]), first]
    }()

    /// What the settings are where none is written, by a version of the program.
    package static func defaults(ofVersion version: Int) -> MergeSettings {
        var settings = MergeSettings()
        settings.takeDefaults(ofVersion: version)
        return settings
    }

    private mutating func takeDefaults(ofVersion version: Int) {
        for former in (version..<max(version, Self.encodingVersion)).reversed() { Self.formerDefaults[former]?(&self) }
    }

    /// Without what only says how the machine is used: threads, device and memory.
    package var withoutMachine: MergeSettings {
        var settings = self
        for setting in MergeSetting.all { setting.takeNeutral?(&settings) }
        return settings
    }

    /// The settings' text in the form of a version; every setting where the version did not have such settings.
    package func encoding(version: Int) -> SettingsEncoding {
        let values = withoutMachine.values
        let texts = Self.texts(values, defaults: defaults(ofVersion: version), version: version)
        return SettingsEncoding(version: version, text: texts.first ?? SettingValue.text(values))
    }

    /// The texts by which these settings may be known, the present one first. A setting with its present default also
    /// counts as one with its former default: that is what the older version took where nothing was written.
    package var encodings: [SettingsEncoding] {
        let values = withoutMachine.values
        let present = defaults(ofVersion: Self.encodingVersion)
        let former = (1..<Self.encodingVersion).reversed().flatMap { version in
            let defaults = defaults(ofVersion: version)
            let changed = Set(present.keys).union(defaults.keys)
                .filter { present[$0] != defaults[$0] && values[$0] == present[$0] }.sorted()
            let texts = Self.choices(changed).flatMap { choice in
                var values = values
                for key in choice { values[key] = defaults[key] }
                return Self.texts(values, defaults: defaults, version: version)
            }
            return texts.map { SettingsEncoding(version: version, text: $0) }
        }
        return [encoding(version: Self.encodingVersion)] + former
    }

    /// Every subset; of many settings only none and all.
    private static func choices(_ keys: [String]) -> [[String]] {
        guard keys.count <= 6 else { return [[], keys] }
        return keys.reduce([[]]) { choices, key in choices + choices.map { $0 + [key] } }
    }

    private static func texts(
        _ values: [String: SettingValue], defaults: [String: SettingValue], version: Int
    ) -> [String] {
        guard version == 1 else { return [SettingValue.text(values.filter { defaults[$0.key] != $0.value })] }
        return unversionedKeys.compactMap { keys in
            let others = Set(values.keys).union(defaults.keys).subtracting(keys)
            guard others.allSatisfy({ values[$0] == defaults[$0] }) else { return nil }
            return SettingValue.text(values.filter { keys.contains($0.key) })
        }
    }

    /// What a version takes for this method and granularity where nothing else is written.
    private func defaults(ofVersion version: Int) -> [String: SettingValue] {
        var defaults = MergeSettings()
        for setting in MergeSetting.all {
            guard let takeUsual = setting.takeUsual else { continue }
            var own = self
            takeUsual(&own)
            setting.copy(own, &defaults)
        }
        defaults.takeDefaults(ofVersion: version)
        return defaults.withoutMachine.values
    }

    private var values: [String: SettingValue] {
        (try? JSON.decode([String: SettingValue].self, from: JSON.encode(self))) ?? [:]
    }
}

/// The value of one setting, as JSON has it.
private enum SettingValue: Codable, Hashable {
    case flag(Bool)
    case integer(Int64)
    case large(UInt64)
    case number(Double)
    case text(String)

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let integer = try? value.decode(Int64.self) {
            self = .integer(integer)
        } else if let large = try? value.decode(UInt64.self) {
            self = .large(large)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else {
            self = .text(try value.decode(String.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .flag(let flag): try value.encode(flag)
        case .integer(let integer): try value.encode(integer)
        case .large(let large): try value.encode(large)
        case .number(let number): try value.encode(number)
        case .text(let text): try value.encode(text)
        }
    }

    /// In order of the keys.
    static func text(_ values: [String: SettingValue]) -> String {
        (try? JSON.encode(values)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
