internal import Files

/// What the modules of a sentence-transformers model make of the transformer's output: `modules.json` and the files
/// that it names.
package struct SentenceModules: Sendable {
    /// A mode of the module `Pooling`.
    enum Pooling: String, CaseIterable {
        case cls, max, mean
        case meanSquareRoot = "mean_sqrt_len_tokens"
        case weightedMean = "weightedmean"
        case lastToken = "lasttoken"

        /// The key of `1_Pooling/config.json` that older versions set.
        var flag: String {
            switch self {
            case .cls, .max, .mean: "pooling_mode_\(rawValue)_token\(self == .cls ? "" : "s")"
            case .meanSquareRoot: "pooling_mode_mean_sqrt_len_tokens"
            case .weightedMean: "pooling_mode_weightedmean_tokens"
            case .lastToken: "pooling_mode_lasttoken"
            }
        }
    }

    package static let fileName = "modules.json"
    private static let settings = "config_sentence_transformers.json"

    /// Nil where the modules are not built here.
    private(set) var pooling: [Pooling]?
    /// Why they are not, in words for a message; nil where they are.
    private(set) var fault: String?

    /// Nil where the folder has no `modules.json`. `read` gives a file's bytes, nil where it is not there.
    package init?<Fault: Error>(_ read: (_ name: String) throws(Fault) -> [UInt8]?) throws(Fault) {
        guard let bytes = try read(Self.fileName) else { return nil }
        let modules = Self.value(bytes)?.elements.map { module in
            Module(type: module.members["type"]?.text ?? "", path: module.members["path"]?.text ?? "")
        }
        guard let modules, modules.first?.kind == "Transformer", modules.first?.path == "" else {
            fault = "modules.json does not begin with a Transformer in the folder itself"
            return
        }
        if let other = modules.dropFirst().first(where: { !["Pooling", "Normalize"].contains($0.kind) }) {
            fault = "modules.json names the module \(shown(other.kind)), which is not built here"
            return
        }
        guard modules.map(\.kind).filter({ $0 != "Normalize" }) == ["Transformer", "Pooling"],
            modules[1].kind == "Pooling"
        else {
            fault = "modules.json does not name one Pooling behind the Transformer"
            return
        }
        let settings = try read(Self.settings).flatMap(Self.value)
        if settings?.members["default_prompt_name"]?.text != nil {
            fault = "\(Self.settings) has a default_prompt_name, which would stand before every text"
            return
        }
        let name = "\(modules[1].path)/config.json"
        guard let configuration = try read(name).flatMap(Self.value) else {
            fault = "\(shown(name)), which says how tokens are pooled, is missing or not JSON"
            return
        }
        guard let modes = Self.modes(configuration.members) else {
            fault = "the pooling mode of \(shown(name)) is not known here"
            return
        }
        pooling = modes
    }

    private struct Module {
        let kind: String
        let path: String

        init(type: String, path: String) {
            kind = type.split(separator: ".").last.map(String.init) ?? ""
            self.path = path
        }
    }

    /// As both forms of the configuration have them; without any the mean. Nil where one is not known.
    private static func modes(_ members: [String: JSONValue]) -> [Pooling]? {
        if let mode = members["pooling_mode"] {
            let names = mode.text.map { [$0] } ?? mode.elements.compactMap(\.text)
            let modes = names.compactMap(Pooling.init)
            return modes.isEmpty || modes.count < names.count ? nil : modes
        }
        let flags = members.filter { $0.key.hasPrefix("pooling_mode_") && $0.value == .bool(true) }.keys
        let modes = Pooling.allCases.filter { flags.contains($0.flag) }
        guard modes.count == flags.count else { return nil }
        // The mean is on where its flag is not given.
        return modes.isEmpty ? (members[Pooling.mean.flag] == nil ? [.mean] : nil) : modes
    }

    private static func value(_ bytes: [UInt8]) -> JSONValue? { try? JSONValue(parsing: bytes, .python) }
}
