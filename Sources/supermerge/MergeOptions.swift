import ArgumentParser
import WorkerProtocol

/// The options that make up `MergeSettings`: one for each entry of `MergeSetting.all`.
///
/// ArgumentParser finds options by reflection and fills them by decoding, so both go by the table.
struct MergeOptions: ParsableArguments {
    let settings: MergeSettings
    /// Names of the settings that are not left to their defaults.
    private let written: Set<String>

    init() { (settings, written) = (MergeSettings(), []) }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        var settings = MergeSettings()
        var written: Set<String> = []
        for setting in MergeSetting.all {
            let key = Key(stringValue: setting.name)
            let text =
                if setting.isFlag {
                    try values.decode(Flag<Bool>.self, forKey: key).wrappedValue ? "true" : nil
                } else {
                    try values.decode(Option<String?>.self, forKey: key).wrappedValue
                }
            guard let text else { continue }
            try setting.readAlone(text, &settings)
            written.insert(setting.name)
        }
        settings.complete(written: written)
        (self.settings, self.written) = (settings, written)
    }

    /// The settings by another method than supermerge where none is named.
    func settings(otherwise method: MergeSettings.Method) -> MergeSettings {
        guard !isMethodNamed else { return settings }
        var settings = settings
        settings.method = method
        settings.complete(written: written)
        return settings
    }

    var isMethodNamed: Bool { written.contains("method") }

    func validate() throws {
        if let (name, message) = settings.contradictions.first { throw ValidationError("\(name) \(message)") }
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

extension MergeOptions: CustomReflectable {
    var customMirror: Mirror {
        Mirror(self, children: MergeSetting.all.map { (label: $0.name, value: $0.option) })
    }
}

extension MergeSetting {
    fileprivate var option: Any {
        let name = NameSpecification.customLong(name)
        guard !isFlag else { return Flag(wrappedValue: false, name: name, help: ArgumentHelp(summary)) }
        return Option<String?>(
            wrappedValue: nil, name: name, help: ArgumentHelp(help),
            completion: choices.isEmpty ? nil : .list(choices)
        ) { text in
            var settings = MergeSettings()
            do throws(SettingProblem) {
                try readAlone(text, &settings)
            } catch {
                throw ValidationError(error.message)
            }
            return text
        }
    }

    private var help: String {
        let values = choices.isEmpty ? [] : ["values: \(choices.joined(separator: ", "))"]
        let notes = values + (standard.isEmpty ? [] : ["default: \(standard)"])
        return notes.isEmpty ? summary : "\(summary) (\(notes.joined(separator: "; ")))"
    }
}
