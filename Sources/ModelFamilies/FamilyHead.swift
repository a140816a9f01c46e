internal import Files

/// The head that fine-tunes have whose base has the one of its pretraining, or none: the end of a class's name in
/// transformers.
package enum FamilyHead: String, CaseIterable, Hashable, Sendable {
    case sequence = "ForSequenceClassification"
    case tokens = "ForTokenClassification"
    case choices = "ForMultipleChoice"
    case answer = "ForQuestionAnswering"
    case maskedLanguage = "ForMaskedLM"
    /// Which of several texts says what an image shows.
    case captions = "CLIPModel"
    /// Which of several texts belong to an image, each by itself.
    case pairs = "SiglipModel"

    /// Ends of the names of classes that tasks replace by one with a head of their own.
    private static let pretraining = [
        "ForMaskedLM", "ForPreTraining", "ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "Model",
    ]

    /// What PEFT calls them under `task_type`.
    private static let taskTypes: [String: FamilyHead] = [
        "SEQ_CLS": .sequence, "TOKEN_CLS": .tokens, "QUESTION_ANS": .answer,
    ]

    /// The head of the class under `architectures` in a `config.json`, or of the `task_type` in an
    /// `adapter_config.json`; nil where it is none of these.
    package init?(configuration bytes: [UInt8]) {
        guard let values = try? JSONValue.members(parsing: bytes, .python) else { return nil }
        let name = Self.architecture(values) ?? ""
        let type = values["task_type"]?.text ?? ""
        guard let head = Self.allCases.first(where: { name.hasSuffix($0.rawValue) }) ?? Self.taskTypes[type] else {
            return nil
        }
        self = head
    }

    /// This head where a base with such a `config.json` leaves the choice to its tasks and takes them for something
    /// else without it; otherwise nil. An encoder's tasks are taken for classifiers of texts anyway.
    package func applied(to configuration: [UInt8]) -> FamilyHead? {
        guard let values = try? JSONValue.members(parsing: configuration, .python),
            Self.isOpen(Self.architecture(values))
        else { return nil }
        let isEncoder = ModelFamilies.encoders.contains { $0.modelTypes.contains(values["model_type"]?.text ?? "") }
        return isEncoder && self == .sequence ? nil : self
    }

    /// Whether a base of that class leaves the choice of the head to its tasks.
    static func isOpen(_ architecture: String?) -> Bool {
        guard let architecture else { return true }
        return pretraining.contains(where: architecture.hasSuffix)
    }

    private static func architecture(_ values: [String: JSONValue]) -> String? {
        values["architectures"]?.elements.first?.text
    }
}
