/// The content of `task.yaml`, defaults filled in.
package struct TaskSettings: Codable, Hashable, Sendable {
    /// What a task's labels are.
    package enum Objective: String, Codable, CaseIterable, Sendable {
        /// One class for each example.
        case classification
        /// Any number of classes for each example: a flag for every class.
        case multiLabel = "multi-label"
        /// One class for each token.
        case tokenClassification = "token-classification"
        /// The same where classes are tags of spans (B-PER, I-PER, O …), which are judged whole.
        case tokenSpans = "token-spans"
        /// The tokens themselves, the next of which is predicted; with a graph that takes `decoder_input_ids` the
        /// target's.
        case languageModeling = "language-modeling"
        /// The tokens that are hidden in the text, each at its own place.
        case maskedLanguageModeling = "masked-language-modeling"
        /// The target's tokens, which a decoder gives out.
        case sequenceToSequence = "sequence-to-sequence"
        /// The target's tokens, as those of the two above; judged by the text that the model writes after the prompt.
        case generation
        /// Which of the choices is right; choices are ranked by the likelihood that the model gives to their tokens.
        case multipleChoice = "multiple-choice"
        /// The first and the last token of the answer in a text; judged by the words between them.
        case questionAnswering = "question-answering"
        /// One number for each output.
        case regression
        /// One number for each pair of texts: the cosine of their embeddings.
        case similarity
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
    /// Which column of a table holds what: role (`ExampleColumns`) → name of the column; nil: by the usual names.
    package var columns: [String: String]?
    /// Most tokens of an example that is encoded from text; nil: the tokenizer's and the model's limit.
    package var maximumLength: Int?
    /// Most tokens that the model writes where its texts are judged; nil: `defaultNewTokens`.
    package var maximumNewTokens: Int?
    /// How a prompt and its completion become one text; nil: one behind the other. Conversations always go through the
    /// chat template.
    package var template: Template?
    /// Where the checkpoint comes from and under which licence it is; nil where `task.yaml` says nothing.
    package var origin: ModelOrigin?

    package static let defaultNewTokens = 64

    package enum Template: String, Codable, CaseIterable, Sendable {
        /// One behind the other.
        case plain
        /// As a user's and the assistant's turn, by the base's chat template.
        case chat
    }

    package init(
        objective: Objective = .classification, metric: Metric? = nil, normalizesLength: Bool = false,
        head: [String] = [], weight: Double = 1, maximumRegression: Double? = nil, columns: [String: String]? = nil,
        maximumLength: Int? = nil, maximumNewTokens: Int? = nil, template: Template? = nil, origin: ModelOrigin? = nil
    ) {
        self.objective = objective
        self.metric = metric
        self.normalizesLength = normalizesLength
        self.head = head
        self.weight = weight
        self.maximumRegression = maximumRegression
        self.columns = columns
        self.maximumLength = maximumLength
        self.maximumNewTokens = maximumNewTokens
        self.template = template
        self.origin = origin
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
        columns = try values.decodeIfPresent([String: String].self, forKey: .columns)
        maximumLength = try values.decodeIfPresent(Int.self, forKey: .maximumLength)
        maximumNewTokens = try values.decodeIfPresent(Int.self, forKey: .maximumNewTokens)
        template = try values.decodeIfPresent(Template.self, forKey: .template)
        origin = try values.decodeIfPresent(ModelOrigin.self, forKey: .origin)
    }
}

extension TaskSettings.Objective {
    /// Whether each example has tokens for labels, any of which may be left unscored (−100).
    package var labelsTokens: Bool {
        switch self {
        case .tokenClassification, .tokenSpans, .languageModeling, .maskedLanguageModeling, .sequenceToSequence,
            .generation, .questionAnswering:
            true
        case .classification, .multiLabel, .multipleChoice, .regression, .similarity: false
        }
    }

    /// Whether each token has a class.
    package var classifiesTokens: Bool { self == .tokenClassification || self == .tokenSpans }

    /// Whether tokens are predicted, so that the outputs are as many as the vocabulary.
    package var predictsTokens: Bool {
        mayDecode && self != .multipleChoice || self == .maskedLanguageModeling
    }

    /// Whether the labels are numbers that the outputs come close to, and not classes.
    package var fitsNumbers: Bool { self == .regression || self == .similarity }

    /// Whether a decoder's inputs can be made out of the targets.
    package var mayDecode: Bool {
        switch self {
        case .languageModeling, .sequenceToSequence, .generation, .multipleChoice: true
        default: false
        }
    }

    /// Whether there is a label for each of the input's own places.
    package var labelsInputs: Bool { classifiesTokens || self == .maskedLanguageModeling }
}
