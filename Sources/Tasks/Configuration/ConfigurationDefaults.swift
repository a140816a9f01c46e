import Files
import Foundation

/// What transformers takes for keys that a `config.json` does not state, by `model_type`;
/// `Tools/make_configuration_defaults.py` reads it out of the library.
struct ConfigurationDefaults: Decodable {
    /// Default of every key that says something about the logits; null where there is none.
    let keys: [String: JSONValue]
    /// The model's own name of keys that it knows by another one, such as `n_embd` for `hidden_size`.
    let names: [String: String]?

    /// Of kinds that are not here nothing is known.
    static func of(_ modelType: String) -> ConfigurationDefaults? { table[modelType] }

    /// Keys that change the logits of some kind.
    static let known: Set<String> = Set(table.values.flatMap(\.keys.keys))

    private static let table: [String: ConfigurationDefaults] = {
        let bytes = Data(PackageResources.defaults_json)
        return (try? JSONDecoder().decode([String: ConfigurationDefaults].self, from: bytes)) ?? [:]
    }()
}
