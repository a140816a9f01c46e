/// Spans of tags that are labelled, that are predicted, and both, in some texts.
struct SpanCounts: Hashable, Sendable {
    var labelled = 0
    var predicted = 0
    var both = 0

    /// 2 both / (labelled + predicted); 0 without any.
    var f1: Double { labelled + predicted == 0 ? 0 : 2 * Double(both) / Double(labelled + predicted) }

    static func + (first: SpanCounts, second: SpanCounts) -> SpanCounts {
        SpanCounts(
            labelled: first.labelled + second.labelled, predicted: first.predicted + second.predicted,
            both: first.both + second.both)
    }

    static func - (first: SpanCounts, second: SpanCounts) -> SpanCounts {
        SpanCounts(
            labelled: first.labelled - second.labelled, predicted: first.predicted - second.predicted,
            both: first.both - second.both)
    }

    init(labelled: Int = 0, predicted: Int = 0, both: Int = 0) {
        (self.labelled, self.predicted, self.both) = (labelled, predicted, both)
    }

    init(labels: [String], guesses: [String]) {
        let (wanted, found) = (SpanTags.spans(of: labels), SpanTags.spans(of: guesses))
        self.init(labelled: wanted.count, predicted: found.count, both: wanted.intersection(found).count)
    }

    /// Of each example, by the classes of its tokens, as many for each; tokens that are not scored are left out.
    static func each(of examples: Int, _ guesses: [Int64], _ labels: [Int64], tags: [String]) -> [SpanCounts] {
        let width = labels.count / max(1, examples)
        func tag(_ value: Int64) -> String { tags.indices.contains(Int(value)) ? tags[Int(value)] : "O" }
        return (0..<examples).map { example in
            let places = (example * width..<(example + 1) * width).filter { labels[$0] >= 0 }
            return SpanCounts(labels: places.map { tag(labels[$0]) }, guesses: places.map { tag(guesses[$0]) })
        }
    }
}
