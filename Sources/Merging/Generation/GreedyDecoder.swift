internal import Engine
internal import Tasks
internal import Torch

/// Writes texts greedily: each token is the most likely one after all that is before it.
///
/// A graph keeps no keys and values between passes, so that a pass computes the whole sequence again. It also checks a
/// guess of what comes next, at first the reference: all tokens of it up to the first that the model would not write
/// are taken at once, and the model's own follows (Leviathan et al., arXiv 2211.17192, with a given draft). The tokens
/// are those that one pass for each would give; a model that is right takes few passes.
struct GreedyDecoder {
    let model: SegmentedModel
    let weights: ModelWeights
    let generation: Generation
    /// Inputs of the graph with an axis of the tokens that are written, and what stands there behind the end.
    let growing: [String: Int64]
    /// Name of the input that holds them.
    let tokens: String
    /// Tokens of that input where the graph has a fixed number.
    let width: Int?
    let passes: PassCounter?

    /// Elements of the logits of one pass: 256 MiB of float32.
    private static let mostElements = 1 << 26
    /// Guessed tokens where the text is no longer the reference's.
    private static let shortGuess = 4
    private static let step = 8

    init(_ model: SegmentedModel, _ weights: ModelWeights, _ generation: Generation, _ passes: PassCounter?) {
        (self.model, self.weights, self.generation, self.passes) = (model, weights, generation, passes)
        let inputs = model.model.signature.inputs
        let isDecoder = inputs.contains { $0.name == ValidationSet.decoderInputs }
        let prefix = isDecoder ? "decoder_" : ""
        tokens = prefix + "input_ids"
        let padding = generation.settings.padding
        var growing: [String: Int64] = [:]
        for (name, value) in ["input_ids": padding, "attention_mask": 0, "position_ids": 0, "token_type_ids": 0] {
            if inputs.contains(where: { $0.name == prefix + name }) { growing[prefix + name] = value }
        }
        self.growing = growing
        width = inputs.first { [tokens] in $0.name == tokens }.flatMap { $0.shape.count > 1 ? $0.shape[1] : nil }
    }

    /// The text of one example while it is written.
    private struct Draft {
        let example: Int
        let prompt: Generation.Prompt
        let ends: Set<Int64>
        var written: [Int64] = []
        var isFinished = false

        /// Tokens whose place in the reference is theirs.
        private var agrees: Bool { prompt.reference.starts(with: written) }

        /// Guessed tokens behind those that are written.
        func guess(limit: Int) -> ArraySlice<Int64> {
            prompt.reference.dropFirst(written.count).prefix(agrees ? limit : min(limit, GreedyDecoder.shortGuess))
        }

        var sequence: [Int64] { prompt.tokens + written }
    }

    /// What the model writes after each prompt, the token that ends it included. `inputs`: what else the graph takes
    /// for some examples, by their places in `prompts`.
    func write(
        _ prompts: [Generation.Prompt], _ inputs: (_ examples: [Int]) throws -> [String: Tensor]
    ) throws -> [[Int64]] {
        var drafts = prompts.enumerated().map { example, prompt in
            Draft(example: example, prompt: prompt, ends: generation.ends(of: prompt))
        }
        for index in drafts.indices where room(drafts[index]) == 0 { drafts[index].isFinished = true }
        while true {
            let open = drafts.filter { !$0.isFinished }.sorted { $0.sequence.count < $1.sequence.count }
            guard !open.isEmpty else { break }
            for group in grouped(open) {
                let outputs = try forward(group, inputs)
                for (batch, output) in zip(group, outputs) {
                    for draft in try advanced(batch, output) { drafts[draft.example] = draft }
                }
            }
        }
        return drafts.map(\.written)
    }

    /// Tokens that may still be written.
    private func room(_ draft: Draft) -> Int {
        let most = [width, generation.settings.longest].compactMap(\.self).min() ?? .max
        return min(generation.maximum - draft.written.count, max(0, most - draft.sequence.count))
    }

    private func given(_ draft: Draft) -> [Int64] { draft.sequence + draft.guess(limit: room(draft) - 1) }

    /// Batches of like lengths whose logits fit, as many together as go through the model's segments at once.
    private func grouped(_ drafts: [Draft]) -> [[[Draft]]] {
        let vocabulary = max(1, model.model.signature.output.last.flatMap(\.self) ?? 1 << 15)
        var batches: [[Draft]] = []
        var longest = 0
        for draft in drafts {
            longest = max(longest, padded(given(draft).count))
            let rows = (batches.last?.count ?? 0) + 1
            if batches.isEmpty || rows > Scorer.batch || rows * longest * vocabulary > Self.mostElements {
                batches.append([])
                longest = padded(given(draft).count)
            }
            batches[batches.count - 1].append(draft)
        }
        return stride(from: 0, to: batches.count, by: model.group).map {
            Array(batches[$0..<min($0 + model.group, batches.count)])
        }
    }

    private func padded(_ count: Int) -> Int {
        if let width { return width }
        let rounded = (count + Self.step - 1) / Self.step * Self.step
        return max(count, min(rounded, generation.settings.longest ?? rounded))
    }

    private func forward(
        _ batches: [[Draft]], _ inputs: (_ examples: [Int]) throws -> [String: Tensor]
    ) throws -> [Tensor] {
        passes?.add(forward: batches.count)
        let runs = try batches.map { batch in
            var given = try inputs(batch.map(\.example))
            let rows = batch.map(self.given)
            let length = padded(rows.map(\.count).max() ?? 0)
            for (name, filler) in growing {
                let values = rows.flatMap { row in
                    Self.values(name, row) + Array(repeating: filler, count: length - row.count)
                }
                given[name] = try Tensor(values, shape: [rows.count, length])
            }
            return ForwardPass(inputs: given, own: weights.own)
        }
        return try model.forward(runs, weights.trunk)
    }

    private static func values(_ name: String, _ row: [Int64]) -> [Int64] {
        switch name {
        case _ where name.hasSuffix("attention_mask"): row.map { _ in 1 }
        case _ where name.hasSuffix("position_ids"): row.indices.map(Int64.init)
        case _ where name.hasSuffix("token_type_ids"): row.map { _ in 0 }
        default: row
        }
    }

    /// The drafts of a batch with what its pass says of them.
    private func advanced(_ batch: [Draft], _ output: Tensor) throws -> [Draft] {
        guard output.shape.count == 3, output.shape[0] == batch.count else {
            throw LabelFault.noTexts(shape: output.shape)
        }
        let length = output.shape[1]
        let rules = generation.settings.rules
        let likely = rules.areIdle ? try output.argmax().integers() : []
        return try batch.enumerated().map { row, draft in
            var draft = draft
            let guess = Array(draft.guess(limit: room(draft) - 1))
            for place in 0...guess.count where !draft.isFinished {
                let position = draft.sequence.count - 1
                let token =
                    rules.areIdle
                    ? likely[row * length + position]
                    : rules.next(
                        try output.rows(from: row, count: 1).columns(from: position, count: 1).to(.float32).floats(),
                        after: draft.sequence, prompt: draft.prompt.tokens.count, maximum: generation.maximum)
                draft.written.append(token)
                draft.isFinished = draft.ends.contains(token) || room(draft) == 0
                if place == guess.count || guess[place] != token { break }
            }
            return draft
        }
    }
}
