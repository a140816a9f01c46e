internal import Files

/// Why no graph can be built from a base's `config.json`; descriptions are one line: what happened and what to do.
package enum ModelFamilyError: Error, Hashable, Sendable {
    /// The configuration can't be read; `reason` names the key where there is one.
    case malformed(path: String, reason: String)
    /// A key asks for what is not built here.
    case unsupported(path: String, key: String, reason: String)
    /// A kind of model that no graph can be had of; `reason` says what it is.
    case unbuilt(path: String, type: String, reason: String)
    /// The weights are not those of the architecture that the configuration describes.
    case weights(path: String, tensor: String, reason: String)
}

extension ModelFamilyError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let path, let reason):
            "\(path) \(reason); copy the base again as save_pretrained wrote it, or \(Self.way)"
        case .unsupported(let path, let key, let reason):
            "no graph can be built from \(path): `\(shown(key))` \(reason); \(Self.way)"
        case .unbuilt(let path, let type, let reason):
            "no graph can be built from \(path): `model_type` is \"\(shown(type))\", \(reason); merge it with a method "
                + "that needs no graph, such as average, task-arithmetic, ties or dare"
        case .weights(let path, let tensor, let reason):
            "no graph can be built from \(path): `\(shown(tensor))` \(reason); \(Self.way)"
        }
    }

    private static let way = "export graph.pt2 with Tools/export_model.py"
}
