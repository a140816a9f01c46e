internal import ExportedGraph
internal import Torch

/// Where the examples of a set end: behind the last token that `attention_mask` gives to any example of a batch there
/// is nothing but padding, which need not be computed.
struct Padding {
    private static let mask = "attention_mask"
    /// Lengths are multiples of this many tokens: few of them occur, and rows of matrices stay aligned.
    private static let step = 8

    /// Inputs with an axis of these tokens.
    let inputs: Set<String>
    /// Their axis of tokens: behind that of a pair's texts, where there is one.
    let axis: Int
    /// The four examples, or fewer, that have most of it.
    let shortest: [Int]
    /// Fewest tokens of a batch.
    var least = Padding.step
    /// Tokens of each example up to its last one that is none of the padding.
    private let lengths: [Int]
    private let width: Int

    /// Nil where the graph takes no mask, where it can't run fewer tokens, or where no example is shorter.
    init?(_ signature: GraphSignature, _ columns: [String: ExampleColumn]) throws {
        guard let mask = try columns[Self.mask]?.all(), (2...3).contains(mask.shape.count), let width = mask.shape.last,
            width > 0
        else { return nil }
        self.width = width
        inputs = Set(
            signature.inputs.filter { slot in
                !slot.name.hasPrefix("decoder_") && slot.shape.count > 1 && slot.shape[1] == nil
                    && columns[slot.name]?.shape.dropFirst().prefix(mask.shape.count - 1) == mask.shape.dropFirst()
            }.map(\.name))
        guard inputs.contains(Self.mask) else { return nil }
        axis = mask.shape.count - 1
        let given = try mask.floats()
        let texts = mask.elementCount / max(1, mask.shape[0] * width)
        let lengths = (0..<mask.shape[0]).map { example in
            let ends = (0..<texts).map { text in
                let row = given[(example * texts + text) * width..<(example * texts + text + 1) * width]
                return (row.lastIndex { $0 != 0 } ?? row.startIndex - 1) + 1 - row.startIndex
            }
            return ends.max() ?? 0
        }
        self.lengths = lengths
        shortest = Array(lengths.indices.sorted { lengths[$0] < lengths[$1] }.prefix(4))
        guard length(of: shortest) < width else { return nil }
    }

    /// Tokens that a batch of these examples needs.
    func length(of examples: [Int]) -> Int {
        let longest = examples.map { lengths[$0] }.max() ?? width
        return min(width, max(least, (longest + Self.step - 1) / Self.step * Self.step))
    }

    /// The same with the next larger length as the fewest that the shortest examples may have.
    var longer: Padding {
        var longer = self
        longer.least = length(of: shortest) + Self.step
        return longer
    }
}

extension ValidationSet {
    /// Differences of logits that may be those of sums in another order, as a share of the logits' spread.
    private static let tolerance: Float = 1e-4

    /// Leaves padding out of the batches from now on, if the model says the same of the examples that have most at two
    /// lengths. A model that gives out something for every token does not. `logits`: what it says of some inputs.
    func leaveOutPadding(
        _ signature: GraphSignature, _ logits: (_ inputs: [String: Tensor]) throws -> Tensor
    ) throws {
        guard padding == nil, let found = try Padding(signature, inputs) else { return }
        let whole = try logits(batch(found.shortest).inputs)
        let isHarmless = try [found.longer, found].allSatisfy { trial in
            padding = trial
            guard let part = try? logits(batch(found.shortest).inputs) else { return false }
            return try part.shape == whole.shape && Self.isSame(part.floats(), whole.floats())
        }
        if !isHarmless { padding = nil }
    }

    private static func isSame(_ part: [Float], _ whole: [Float]) -> Bool {
        let spread = (whole.max() ?? 0) - (whole.min() ?? 0)
        return spread > 0 && zip(part, whole).allSatisfy { abs($0 - $1) <= tolerance * spread }
    }
}
