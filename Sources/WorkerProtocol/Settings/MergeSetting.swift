/// One setting of a merge: what it is called, what it may be and what it does. The table `all` makes the options of
/// `supermerge merge`, the keys of `merge:`, and what the documented configuration and the manual say of them.
package struct MergeSetting: Sendable {
    package typealias Field<Value> = any WritableKeyPath<MergeSettings, Value> & Sendable
    package typealias Reading = @Sendable (String, inout MergeSettings) throws(SettingProblem) -> Void

    /// As in the configuration and on the command line, such as `fan-in`.
    package let name: String
    /// What may stand there, for people.
    package private(set) var kind: String
    /// The words to choose from, if it is one of a list.
    package let choices: [String]
    /// One sentence for the command line.
    package let summary: String
    /// Everything, for the configuration.
    package let description: String
    /// Whether the command line has it without a value.
    package let isFlag: Bool
    /// The default as the command line names it; empty where there is none.
    package let standard: String
    /// As the configuration has it.
    package private(set) var show: @Sendable (MergeSettings) -> String
    /// Takes a value from the configuration, and one from the command line, where more may be allowed.
    package private(set) var read: Reading
    package private(set) var readAlone: Reading
    /// Takes what is usual for the method, the form and the start; nil: the default, whatever these are.
    let takeUsual: (@Sendable (inout MergeSettings) -> Void)?
    /// Takes what stands for every value in digests; nil: the value itself does. Of settings that only say how the
    /// machine is used.
    let takeNeutral: (@Sendable (inout MergeSettings) -> Void)?
    /// Takes the value in a record, if there is one.
    private(set) var decode: @Sendable (KeyedDecodingContainer<Key>, inout MergeSettings) throws -> Void
    /// Takes the value of other settings.
    let copy: @Sendable (MergeSettings, inout MergeSettings) -> Void

    /// `byDefault`: as the command line names the default, where it is not one value. `alone`: what may stand on the
    /// command line, where it is not what the configuration takes. `inDigests`: see `takeNeutral`. `property`: the name
    /// in `MergeSettings`, where it is not that of the setting.
    init<Value: Codable & Sendable>(
        _ name: String, _ field: Field<Value>, _ kind: SettingKind<Value>, _ summary: String, _ description: String,
        byDefault standard: String? = nil, alone: SettingKind<Value>? = nil,
        usual: (@Sendable (inout MergeSettings) -> Void)? = nil, inDigests neutral: Value? = nil,
        property: String? = nil
    ) {
        (self.name, self.kind, self.choices) = (name, kind.name, kind.choices)
        (self.summary, self.description) = (summary, description)
        isFlag = Value.self == Bool.self
        self.standard = standard ?? kind.show(MergeSettings()[keyPath: field])
        show = { settings in kind.show(settings[keyPath: field]) }
        read = Self.reading(field, kind)
        readAlone = Self.reading(field, alone ?? kind)
        takeUsual = usual
        if let neutral {
            takeNeutral = { settings in settings[keyPath: field] = neutral }
        } else {
            takeNeutral = nil
        }
        let key = property.map { Key($0) } ?? Key(ofSetting: name)
        decode = { values, settings in
            guard let value = try values.decodeIfPresent(Value.self, forKey: key) else { return }
            settings[keyPath: field] = value
        }
        copy = { source, target in target[keyPath: field] = source[keyPath: field] }
    }

    private static func reading<Value>(_ field: Field<Value>, _ kind: SettingKind<Value>) -> Reading {
        { text, settings throws(SettingProblem) in settings[keyPath: field] = try kind.read(text) }
    }

    /// Of `scale`: the same, or `search`.
    var orSearch: Self {
        var setting = self
        let (number, show, decode) = (read, show, decode)
        setting.kind = "number or 'search'"
        setting.show = { $0.searchesScale ? "search" : show($0) }
        setting.read = { text, settings throws(SettingProblem) in
            settings.searchesScale = text == "search"
            if settings.searchesScale { return }
            do throws(SettingProblem) {
                try number(text, &settings)
            } catch {
                throw SettingProblem(message: "'\(text)' is neither a number nor 'search'")
            }
        }
        setting.readAlone = setting.read
        setting.decode = { values, settings in
            try decode(values, &settings)
            settings.searchesScale = try values.decodeIfPresent(Bool.self, forKey: Key("searchesScale")) ?? false
        }
        return setting
    }
}

extension MergeSetting {
    /// A property of `MergeSettings` in records.
    struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ property: String) { stringValue = property }

        /// `fanIn` of `fan-in`.
        init(ofSetting name: String) {
            let words = name.split(separator: "-")
            self.init(words[0] + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined())
        }

        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }
}
