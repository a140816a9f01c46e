internal import WorkerProtocol

extension ModelCard {
    /// How transformers loads the model with one of its heads; nil where it can't, or there is none.
    var loading: String? {
        let names = Set(record.result.outputs.map(\.name))
        let heads = record.tasks.filter { names.contains("heads/\($0.name).safetensors") }
        let described = heads.filter(isDescribed)
        let rest = Set(heads).subtracting(described).map(\.name).sorted()
        guard hasConfiguration, let example = described.first ?? heads.first else {
            let isOfSentences = record.tasks.contains { $0.settings.objective == .similarity }
            return isOfSentences && names.contains("modules.json") ? Self.sentences : nil
        }
        let name = example.name
        let head = [
            #"head = load_file("heads/\#(name).safetensors")"#,
            "others = model.load_state_dict(head, strict=False).unexpected_keys  # named as in the base, without a "
                + "prefix",
            "model.base_model.load_state_dict({key: head[key] for key in others}, strict=False)",
        ]
        var lines = [
            "## How to load it", "",
            "`config.json` is the base's and knows of no task: `from_pretrained` alone gives no head, or an untrained "
                + "one.",
            described.isEmpty
                ? "No fine-tune came with a `config.json` of its own: put its class and its number of labels in here."
                : "What the fine-tune's own `config.json` said of its head is in `heads/<task>.json`.",
            "", "```python",
        ]
        lines += (described.isEmpty ? Self.undescribed(example) : Self.described(name)) + head + ["```"]
        if !described.isEmpty, !rest.isEmpty {
            lines += [
                "",
                "These came without one, so their class and their number of labels have to be known: "
                    + rest.map { "`\($0)`" }.joined(separator: ", ") + ".",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let sentences = """
        ## How to load it

        ```python
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(".")
        ```

        """

    private static func described(_ name: String) -> [String] {
        [
            "import json, transformers", "from safetensors.torch import load_file", "",
            #"settings = json.load(open("config.json")) | json.load(open("heads/\#(name).json"))"#,
            "config = transformers.AutoConfig.for_model(**settings)",
            "kind = getattr(transformers, config.architectures[0])",
            #"model = kind.from_pretrained(".", config=config, ignore_mismatched_sizes=True)"#,
        ]
    }

    private static func undescribed(_ task: TaskSource) -> [String] {
        let objective = task.settings.objective
        let kind =
            objective == .questionAnswering
            ? "QuestionAnswering" : objective.classifiesTokens ? "TokenClassification" : "SequenceClassification"
        return [
            "import transformers", "from safetensors.torch import load_file", "",
            "kind = transformers.AutoModelFor\(kind)",
            #"model = kind.from_pretrained(".", num_labels=2, ignore_mismatched_sizes=True)"#,
        ]
    }
}
