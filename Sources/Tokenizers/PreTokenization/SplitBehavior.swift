/// What becomes of the delimiters at which a text is split.
enum SplitBehavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    /// Splits `count` bytes at the `matches`, or at what lies between them where `isInverted`. No piece is empty.
    func pieces(of count: Int, at matches: [Range<Int>], isInverted: Bool = false) -> [Range<Int>] {
        var spans: [(range: Range<Int>, isDelimiter: Bool)] = []
        var position = 0
        for match in matches {
            if match.lowerBound > position { spans.append((position..<match.lowerBound, isInverted)) }
            spans.append((match, !isInverted))
            position = match.upperBound
        }
        if position < count { spans.append((position..<count, isInverted)) }
        return joined(spans).filter { !$0.isEmpty }
    }

    private func joined(_ spans: [(range: Range<Int>, isDelimiter: Bool)]) -> [Range<Int>] {
        switch self {
        case .removed: spans.filter { !$0.isDelimiter }.map(\.range)
        case .isolated: spans.map(\.range)
        case .contiguous: joined(spans) { $0 == $1 }
        case .mergedWithPrevious: joined(spans) { !$0 && $1 }
        case .mergedWithNext: joined(spans.reversed()) { !$0 && $1 }.reversed()
        }
    }

    /// Neighbours joined where `joins` the kinds of the one before and the next, in the order given.
    private func joined(
        _ spans: [(range: Range<Int>, isDelimiter: Bool)], _ joins: (Bool, Bool) -> Bool
    ) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var before: Bool?
        for span in spans {
            if let kind = before, let last = result.last, joins(kind, span.isDelimiter) {
                let low = min(last.lowerBound, span.range.lowerBound)
                result[result.count - 1] = low..<max(last.upperBound, span.range.upperBound)
            } else {
                result.append(span.range)
            }
            before = span.isDelimiter
        }
        return result
    }
}
