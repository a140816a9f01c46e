internal import ExportedGraph
internal import Foundation

extension GraphBuilder {
    /// 1, 2, 3, … for the tokens of a text that are not padding, and 0 for padding, from a mask of zeros and ones.
    func textNumbers(_ mask: GraphValue) -> GraphValue {
        let counted = call("cumsum", ["self": mask.argument, "dim": .int(1)], mask.shape, "int64")
        return multiply(counted, mask)
    }

    /// Sines, then cosines [..., width] of each position times width/2 frequencies from 1 down to 1/10,000, as fairseq
    /// computes them.
    func sinusoids(_ positions: GraphValue, _ width: Int) -> GraphValue {
        let half = width / 2
        let step = log(10_000.0) / Double(half - 1)
        let exponents = multiply(convert(range(.known(half)), to: "float32"), by: .double(-step))
        return waves(convert(positions, to: "float32"), map("exp", exponents), half)
    }

    /// The same with the frequencies of the first Transformer, 10,000^(−2i/width) (Vaswani et al., arXiv 1706.03762),
    /// in float64.
    func exactSinusoids(_ positions: GraphValue, _ width: Int) -> GraphValue {
        let half = width / 2
        let exponents = multiply(convert(range(.known(half)), to: "float64"), by: .double(-2 / Double(width)))
        let frequencies = call(
            "pow.Scalar", ["self": .double(10_000), "exponent": exponents.argument], [half], "float64")
        return convert(waves(convert(positions, to: "float64"), frequencies, half), to: "float32")
    }

    private func waves(_ positions: GraphValue, _ frequencies: GraphValue, _ half: Int) -> GraphValue {
        let axis = positions.shape.count
        let angles = call(
            "mul.Tensor", ["self": unsqueeze(positions, axis).argument, "other": frequencies.argument],
            positions.shape + [half], positions.dtype)
        return join(map("sin", angles), map("cos", angles), axis: axis)
    }

    /// A bias of the scores [batch, heads, 1, tokens] that grows linearly with the number of the token in its text
    /// (Press et al., arXiv 2108.12409): the softmax sees differences alone. `isRounded`: computed in bfloat16.
    func linearBias(_ mask: GraphValue, heads: Int, maximum: Double, isRounded: Bool) -> GraphValue {
        let slopes = unsqueeze(constants(Self.slopes(heads, maximum: maximum)), 1)
        let counted = call("cumsum", ["self": mask.argument, "dim": .int(1)], mask.shape, "int64")
        let numbers = multiply(add(counted, .int(-1)), mask)
        let columns = convert(unsqueeze(numbers, 1), to: isRounded ? "bfloat16" : "float32")
        let rounded = isRounded ? convert(slopes, to: "bfloat16") : slopes
        let bias = call(
            "mul.Tensor", ["self": rounded.argument, "other": columns.argument], [mask.shape[0], heads, mask.shape[1]],
            rounded.dtype)
        return unsqueeze(convert(bias, to: "float32"), 2)
    }

    /// Powers of 2^(−maximum/n) for n heads, and where n is no power of two those between for the rest.
    private static func slopes(_ heads: Int, maximum: Double) -> [Double] {
        let whole = 1 << (Int.bitWidth - 1 - heads.leadingZeroBitCount)
        func base(_ count: Int) -> Double { Double(Float(pow(2, -maximum / Double(count)))) }
        let first = (1...whole).map { pow(base(whole), Double($0)) }
        let rest = stride(from: 1, to: 2 * (heads - whole), by: 2).map { pow(base(2 * whole), Double($0)) }
        return first + rest
    }

    /// 1 + β · ln(1 + ⌊position / context⌋) [tokens, 1], by which Ministral scales queries.
    func queryGrowth(_ tokens: AxisLength, beta: Double, context: Int) -> GraphValue {
        let positions = convert(range(tokens), to: "float32")
        let times = map("floor", divide(positions, by: .int(context)))
        let growth = multiply(map("log", add(times, .int(1))), by: .double(beta))
        return unsqueeze(add(growth, .int(1)), 1)
    }
}

extension GraphBuilder {
    /// Numbers of the tokens that are text, after the number of the padding, which padding keeps.
    func textPositions(_ tokens: GraphValue, padding: Int) -> GraphValue {
        add(textNumbers(textMask(tokens, padding: padding)), .int(padding))
    }

    /// `sinusoids` of the same numbers, and 0 for padding.
    func textSinusoids(_ tokens: GraphValue, padding: Int, _ width: Int) -> GraphValue {
        let mask = textMask(tokens, padding: padding)
        let waves = sinusoids(add(textNumbers(mask), .int(padding)), width)
        return multiply(waves, unsqueeze(convert(mask, to: "float32"), 2))
    }

    /// 1 for tokens, 0 for padding.
    private func textMask(_ tokens: GraphValue, padding: Int) -> GraphValue {
        let isText = call("ne.Scalar", ["self": tokens.argument, "other": .int(padding)], tokens.shape, "bool")
        return convert(isText, to: "int64")
    }

    /// [1, heads, tokens, tokens]: a trained number for each head and each bucket of distances, half of them single
    /// distances and half growing with the logarithm up to the longest (Raffel et al., arXiv 1910.10683).
    func distanceBias(
        _ tokens: AxisLength, _ name: String, buckets: Int, maximum: Int, heads: Int, isTwoSided: Bool
    ) throws(ModelFamilyError) -> GraphValue {
        let positions = range(tokens)
        let (from, to) = (unsqueeze(positions, 1), unsqueeze(positions, 0))
        let square: [Int?] = [nil, nil]
        func int(_ target: String, _ arguments: KeyValuePairs<String, GraphArgument>) -> GraphValue {
            call(target, arguments, square, "int64")
        }
        let offset = int("sub.Tensor", ["self": to.argument, "other": from.argument])
        let count = isTwoSided ? buckets / 2 : buckets
        let exact = count / 2
        let distance =
            isTwoSided
            ? int("abs", ["self": offset.argument])
            : int("clamp", ["self": int("neg", ["self": offset.argument]).argument, "min": .int(0)])
        let isNear = call("lt.Scalar", ["self": distance.argument, "other": .int(exact)], square, "bool")
        let logarithm = map("log", divide(convert(distance, to: "float32"), by: .int(exact)))
        let share = divide(logarithm, by: .double(log(Double(maximum) / Double(exact))))
        let step = convert(multiply(share, by: .int(count - exact)), to: "int64")
        let far = int("clamp", ["self": add(step, .int(exact)).argument, "max": .int(count - 1)])
        var bucket = int(
            "where.self", ["condition": isNear.argument, "self": distance.argument, "other": far.argument])
        if isTwoSided {
            let isAfter = call("gt.Scalar", ["self": offset.argument, "other": .int(0)], square, "bool")
            bucket = add(multiply(convert(isAfter, to: "int64"), by: .int(count)), bucket)
        }
        let table = try parameter("\(name).weight", [buckets, heads])
        let values = embedding(bucket, table)
        let byHead = call(
            "permute", ["self": values.argument, "dims": .list([.int(2), .int(0), .int(1)])], [heads, nil, nil])
        return unsqueeze(byHead, 0)
    }
}
