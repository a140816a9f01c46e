internal import Engine
internal import Tasks
internal import Torch
internal import WorkerProtocol

/// One text that was judged.
package struct JudgedText: Codable, Hashable, Sendable {
    /// Index of the example, from 0.
    package var example: Int
    /// Tokens that the model wrote; nil where it marks a part of a given text.
    package var tokens: [Int64]?
    package var text: String
    /// Of several the best one counts.
    package var references: [String]
    /// By the task's metric, 0 to 1.
    package var value: Double
}

extension Scorer {
    /// What a model writes for some examples, and how far that is what it should.
    ///
    /// Reads the prompts and the references out of inputs and labels, as transformers' examples do: a reference is the
    /// text of its tokens.
    func texts(
        _ weights: ModelWeights, _ set: ValidationSet, _ indices: [Int], _ objective: Objective,
        _ generation: Generation
    ) throws -> [JudgedText] {
        let prompts = try set.prompts(indices, objective)
        let decoder = GreedyDecoder(model, weights, generation, passes)
        let written = try TorchRuntime.withoutGradients {
            try TorchRuntime.withAutocast(autocast) {
                try decoder.write(prompts) { try set.batch($0.map { indices[$0] }).inputs }
            }
        }
        return indices.enumerated().map { place, example in
            let (text, reference) = (generation.text(written[place]), generation.text(prompts[place].reference))
            return JudgedText(
                example: example, tokens: written[place], text: text, references: [reference],
                value: TextMetric.value(objective.metric, text, references: [reference]))
        }
    }
}

extension ValidationSet {
    /// What each of some examples gives a decoder. Throws `LabelFault` where one has no prompt.
    func prompts(_ indices: [Int], _ objective: Objective) throws -> [Generation.Prompt] {
        var prompts: [Generation.Prompt] = []
        for start in stride(from: 0, to: indices.count, by: Scorer.batch) {
            let part = Array(indices[start..<min(start + Scorer.batch, indices.count)])
            prompts += try objective.shifts ? causalPrompts(part) : decoderPrompts(part)
        }
        return prompts
    }

    private func causalPrompts(_ indices: [Int]) throws -> [Generation.Prompt] {
        let (tokens, width) = try Self.rows(inputs["input_ids"], indices)
        let (labels, _) = try Self.rows(self.labels, indices)
        let mask = try inputs["attention_mask"].map { try Self.rows($0, indices).values }
        return try indices.enumerated().map { row, example in
            let own = row * width..<(row + 1) * width
            let prompt = Generation.Prompt(
                tokens: Array(tokens[own]), labels: Array(labels[own]),
                isShown: own.map { place in mask.map { $0[place] != 0 } ?? true })
            guard let prompt else { throw LabelFault.noPrompt(example: example) }
            return prompt
        }
    }

    private func decoderPrompts(_ indices: [Int]) throws -> [Generation.Prompt] {
        let given = try batch(indices).inputs[Self.decoderInputs]
        let (labels, width) = try Self.rows(self.labels, indices)
        guard let starts = try given?.to(.int64).integers(), !starts.isEmpty else {
            throw LabelFault.noPrompt(example: indices[0])
        }
        return indices.indices.map { row in
            let reference = labels[row * width..<(row + 1) * width].filter { $0 != Int64(Objective.ignored) }
            return Generation.Prompt(tokens: [starts[row * (starts.count / indices.count)]], reference: reference)
        }
    }

    private static func rows(
        _ column: ExampleColumn?, _ indices: [Int]
    ) throws -> (values: [Int64], width: Int) {
        guard let column else { throw LabelFault.allPadding }
        let rows = try column.rows(indices)
        return (try rows.to(.int64).integers(), rows.elementCount / max(1, indices.count))
    }
}
