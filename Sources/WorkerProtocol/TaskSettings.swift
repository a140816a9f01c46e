/// The content of `task.yaml`, defaults filled in.
package struct TaskSettings: Codable, Hashable, Sendable {
    /// What a task's labels are.
    package enum Objective: String, Codable, CaseIterable, Sendable {
        /// One class for each example.
        case classification
        /// One class for each token.
        case tokenClassification = "token-classification"
        /// The tokens themselves, the next of which is predicted; with a graph that takes `decoder_input_ids` the
        /// target's.
        case languageModeling = "language-modeling"
        /// The target's tokens, which a decoder gives out.
        case sequenceToSequence = "sequence-to-sequence"
        /// Which of the choices is right; choices are ranked by the likelihood that the model gives to their tokens.
        case multipleChoice = "multiple-choice"
        /// One number for each output.
        case regression
    }

    /// What the labels mean; default `classification`.
    package var objective: Objective
    /// What is reported and gated; nil: the objective's usual one.
    package var metric: Metric?
    /// Whether choices are ranked by their tokens' mean log likelihood, and not by its sum.
    package var normalizesLength: Bool
    /// Name prefixes of the parameters that belong to this task alone; empty: the graph's parameters that the base
    /// lacks.
    package var head: [String]
    /// Weight of the task's loss in the fit; default 1.
    package var weight: Double
    /// The largest fall of the metric that the gate lets pass; nil: the configuration's.
    package var maximumRegression: Double?

    package init(
        objective: Objective = .classification, metric: Metric? = nil, normalizesLength: Bool = false,
        head: [String] = [], weight: Double = 1, maximumRegression: Double? = nil
    ) {
        self.objective = objective
        self.metric = metric
        self.normalizesLength = normalizesLength
        self.head = head
        self.weight = weight
        self.maximumRegression = maximumRegression
    }

    /// A key that another version of the program did not write has its default.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        objective = try values.decode(Objective.self, forKey: .objective)
        metric = try values.decodeIfPresent(Metric.self, forKey: .metric)
        normalizesLength = try values.decodeIfPresent(Bool.self, forKey: .normalizesLength) ?? false
        head = try values.decode([String].self, forKey: .head)
        weight = try values.decode(Double.self, forKey: .weight)
        maximumRegression = try values.decodeIfPresent(Double.self, forKey: .maximumRegression)
    }
}

extension TaskSettings.Objective {
    /// Whether each example has tokens for labels, any of which may be left unscored (−100).
    package var labelsTokens: Bool {
        switch self {
        case .tokenClassification, .languageModeling, .sequenceToSequence: true
        case .classification, .multipleChoice, .regression: false
        }
    }

    /// Whether tokens are predicted, so that the outputs are as many as the vocabulary.
    package var predictsTokens: Bool { self == .languageModeling || self == .sequenceToSequence }

    /// Whether a decoder's inputs can be made out of the targets.
    package var mayDecode: Bool { predictsTokens || self == .multipleChoice }
}
