extension Scorer {
    /// Pearson's correlation; 0 where either side is constant.
    static func pearson(_ first: [Double], _ second: [Double]) -> Double {
        let count = Double(max(1, first.count))
        let meanFirst = first.reduce(0, +) / count
        let meanSecond = second.reduce(0, +) / count
        var product = 0.0
        var squareFirst = 0.0
        var squareSecond = 0.0
        for (x, y) in zip(first, second) {
            product += (x - meanFirst) * (y - meanSecond)
            squareFirst += (x - meanFirst) * (x - meanFirst)
            squareSecond += (y - meanSecond) * (y - meanSecond)
        }
        let scale = (squareFirst * squareSecond).squareRoot()
        return scale > 0 ? product / scale : 0
    }

    /// Spearman's correlation, as scipy's `spearmanr` has it: Pearson's of the ranks; 0 where either side is constant.
    static func spearman(_ first: [Double], _ second: [Double]) -> Double { pearson(ranks(first), ranks(second)) }

    /// Ranks from 1; equal numbers share the mean of theirs. O(n log n).
    private static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for place in order[start..<end] { ranks[place] = Double(start + end + 1) / 2 }
            start = end
        }
        return ranks
    }
}
