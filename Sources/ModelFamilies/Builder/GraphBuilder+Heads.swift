internal import ExportedGraph

extension GraphBuilder {
    /// One number for each class from the last token of each text that is none of the padding, which a model that looks
    /// back alone has read all of the text for. Without such a token the first serves, as in transformers.
    func classified(
        _ hidden: GraphValue, _ tokens: GraphValue, _ configuration: ModelConfiguration, vocabulary: Int,
        name: String = "score"
    ) throws(ModelFamilyError) -> GraphValue {
        guard let padding = try configuration.padding("pad_token_id", default: nil, rows: vocabulary),
            try configuration.number("pad_token_id", default: -1) >= 0
        else {
            throw configuration.unsupported(
                "pad_token_id", "is not given or below 0, and the classes are told by the last token that is no padding"
            )
        }
        let isText = call("ne.Scalar", ["self": tokens.argument, "other": .int(padding)], tokens.shape, "bool")
        let read = lastMarked(hidden, isText, tokens)
        return try linear(read, name, configuration.classes(), hasBias: false, isHead: true)
    }

    /// The rows [batch, width] of `hidden` at the last token of each text that is marked; at the first without any.
    func lastMarked(_ hidden: GraphValue, _ isMarked: GraphValue, _ tokens: GraphValue) -> GraphValue {
        firstHighest(hidden, multiply(convert(isMarked, to: "int64"), range(length(tokens, 1))))
    }

    /// The rows [batch, width] of `hidden` at the first of the highest integers [batch, tokens] of each text.
    func firstHighest(_ hidden: GraphValue, _ integers: GraphValue) -> GraphValue {
        let place = call("argmax", ["self": integers.argument, "dim": .int(1)], [integers.shape[0]], "int64")
        let index = expand(
            unsqueeze(unsqueeze(place, 1), 2), [length(hidden, 0), .known(1), .known(hidden.width ?? 0)])
        let read = call(
            "gather", ["self": hidden.argument, "dim": .int(1), "index": index.argument],
            [hidden.shape[0], 1, hidden.width])
        return select(read, 1, 0)
    }
}
