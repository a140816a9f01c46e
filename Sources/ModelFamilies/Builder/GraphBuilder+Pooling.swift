internal import ExportedGraph

extension GraphBuilder {
    /// The mean over the tokens that a mask [batch, tokens] shows. Of a text that shows none it is 0, as
    /// sentence-transformers has it.
    func mean(_ hidden: GraphValue, over mask: GraphValue) -> GraphValue {
        let (total, shown) = weighted(hidden, convert(mask, to: "float32"))
        return quotient(total, shown)
    }

    /// A text's embedding [texts, width] of its tokens' vectors, as sentence-transformers' `Pooling` makes it; of
    /// several modes one behind the other. That its `Normalize` follows changes no cosine.
    func pooled(
        _ hidden: GraphValue, mask: GraphValue, tokens: GraphValue, _ modes: [SentenceModules.Pooling]
    ) -> GraphValue {
        let vectors = modes.map { pooled(hidden, mask: mask, tokens: tokens, $0) }
        guard let first = vectors.first else { return mean(hidden, over: mask) }
        return vectors.dropFirst().reduce(first) { join($0, $1, axis: 1) }
    }

    private func pooled(
        _ hidden: GraphValue, mask: GraphValue, tokens: GraphValue, _ mode: SentenceModules.Pooling
    ) -> GraphValue {
        switch mode {
        case .cls: return select(hidden, 1, 0)
        case .max:
            let isHidden = call("eq.Scalar", ["self": mask.argument, "other": .int(0)], mask.shape, "bool")
            let shown = call(
                "masked_fill.Scalar",
                ["self": hidden.argument, "mask": unsqueeze(isHidden, 2).argument, "value": .double(-1e9)],
                hidden.shape)
            return call("amax", ["self": shown.argument, "dim": .list([.int(1)])], [hidden.shape[0], hidden.width])
        case .mean: return mean(hidden, over: mask)
        case .meanSquareRoot:
            let (total, shown) = weighted(hidden, convert(mask, to: "float32"))
            return quotient(total, shown, isSquareRoot: true)
        case .weightedMean:
            let positions = add(range(length(tokens, 1)), .int(1))
            let (total, shown) = weighted(hidden, convert(multiply(mask, positions), to: "float32"))
            return quotient(total, shown)
        case .lastToken:
            let isText = call("ne.Scalar", ["self": mask.argument, "other": .int(0)], mask.shape, "bool")
            return lastMarked(hidden, isText, tokens)
        }
    }

    /// Σ weight · vector over the tokens, [texts, width], and Σ weight, [texts, 1].
    private func weighted(_ hidden: GraphValue, _ weights: GraphValue) -> (total: GraphValue, sum: GraphValue) {
        let seen = unsqueeze(weights, 2)
        return (sum(multiply(hidden, seen), axis: 1), sum(seen, axis: 1))
    }

    private func quotient(_ total: GraphValue, _ shown: GraphValue, isSquareRoot: Bool = false) -> GraphValue {
        var count = call("clamp", ["self": shown.argument, "min": .double(1e-9)], shown.shape)
        if isSquareRoot { count = map("sqrt", count) }
        return call("div.Tensor", ["self": total.argument, "other": count.argument], total.shape)
    }
}
