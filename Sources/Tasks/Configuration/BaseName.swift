import Adapters
import Files

/// What an adapter says of the model that it was trained on, against what the base's folder says that it is.
extension CompanionCheck {
    private static let quantised = [
        "-unsloth-bnb-4bit", "-bnb-4bit", "-bnb-8bit", "-4bit", "-8bit", "-gptq", "-awq", "-fp8",
    ]

    /// A warning where the adapter names another model than the base's folder does; never a fault, because copies of
    /// one model have many names. Nothing where the folder names none, as transformers 5 leaves it.
    func checkName(_ adapter: AdapterConfiguration) throws(AdmissionFault) -> [String] {
        guard let named = adapter.baseName, let wanted = Self.model(named) else { return [] }
        let advice = "make sure that it was trained on this base"
        let stated = try Self.object("config.json", reader)?["_name_or_path"]?.text
        if let stated, let own = Self.model(stated) {
            guard own != wanted else { return [] }
            return [
                "`base_model_name_or_path` of its adapter is \"\(shown(named))\", the base's `_name_or_path` "
                    + "\"\(shown(stated))\": \(advice)"
            ]
        }
        let folder = reader.listing.place.path
        if let own = Self.modelOfCache(folder) {
            guard own != wanted else { return [] }
            return [
                "`base_model_name_or_path` of its adapter is \"\(shown(named))\", and the base's folder is that of "
                    + "\"\(shown(own))\" in a cache: \(advice)"
            ]
        }
        return []
    }

    /// The last part of a model's name or path, in lower case, without what quantised copies add; nil where it has
    /// none.
    private static func model(_ name: String) -> String? {
        let last = modelOfCache(name) ?? name.split { "/\\".contains($0) }.last.map(String.init)
        guard var text = last?.lowercased(), !text.isEmpty, text != "." else { return nil }
        for ending in quantised where text.hasSuffix(ending) && text.count > ending.count {
            text.removeLast(ending.count)
            break
        }
        return text
    }

    /// The model's name in a path of Hugging Face's cache: `models--org--name/snapshots/…`.
    private static func modelOfCache(_ path: String) -> String? {
        let folder = path.split { "/\\".contains($0) }.last { $0.hasPrefix("models--") }
        guard let folder, let mark = folder.ranges(of: "--").last else { return nil }
        let name = folder[mark.upperBound...].lowercased()
        return name.isEmpty ? nil : name
    }
}
