internal import WorkerProtocol

/// The answer that a model marks in a text, out of the scores that it gives each token for being the first and the last
/// one (Devlin et al., arXiv 1810.04805, §4.2 and 4.3).
///
/// The best pair of tokens of the text whose scores have the largest sum, the last not before the first and at most 30
/// tokens from one to the other; of equal sums the first. Where some questions have no answer, it is the empty text if
/// the first token's sum is larger.
struct AnswerSpans {
    /// Tokens of an answer, at most, as in transformers' example for SQuAD.
    static let longest = 30

    /// Whether the text may be said not to answer a question.
    let allowsNone: Bool

    /// `offsets`: of each token its bytes of the text, from and to, one behind the other; negative for no part of it.
    func text(starts: ArraySlice<Float>, ends: ArraySlice<Float>, offsets: [Int64], _ context: String) -> String {
        let bytes = Array(context.utf8)
        let count = min(starts.count, ends.count, offsets.count / 2)
        let (starts, ends) = (Array(starts.prefix(count)), Array(ends.prefix(count)))
        let isText = (0..<count).map { place in
            let (from, to) = (offsets[2 * place], offsets[2 * place + 1])
            return from >= 0 && from <= to && to <= bytes.count
        }
        var best: (first: Int, last: Int, score: Float)?
        for first in 0..<count where isText[first] {
            for last in first..<min(first + Self.longest, count) where isText[last] {
                let score = starts[first] + ends[last]
                if score > best?.score ?? -.infinity { best = (first, last, score) }
            }
        }
        guard let best else { return "" }
        if allowsNone, count > 0, starts[0] + ends[0] > best.score { return "" }
        let from = Int(offsets[2 * best.first])
        return String(decoding: bytes[from..<max(from, Int(offsets[2 * best.last + 1]))], as: UTF8.self)
    }
}
