internal import ExportedGraph

/// An architecture whose graph is built here, by the `model_type` of a `config.json`.
protocol ModelFamily: SendableMetatype {
    /// Keys of the configuration that say nothing about the logits, beside those of every model.
    static var inert: Set<String> { get }

    /// Beginnings of the names of tensors that a checkpoint of the family may hold and the graph has no use for.
    static var spare: [String] { get }

    /// Writes the graph from inputs to logits.
    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue
}

extension ModelConfiguration {
    /// The last of `architectures` that ends like one of those that are built; those that do not are refused.
    func architecture(_ known: [String]) throws(ModelFamilyError) -> String? {
        let given = try texts("architectures")
        guard let name = given.first else { return nil }
        guard given.count == 1, let ending = known.first(where: name.hasSuffix) else {
            throw unsupported("architectures", "has \(given.joined(separator: ", ")), which is not built here")
        }
        return ending
    }

    /// Heads must share the width of a model evenly.
    func headWidth(_ width: Int, heads: Int, key: String) throws(ModelFamilyError) -> Int {
        guard width.isMultiple(of: heads) else {
            throw unsupported(key, "is \(heads), which does not divide the model's width \(width)")
        }
        return width / heads
    }
}
