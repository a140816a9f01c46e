internal import ExportedGraph
internal import Files

/// A graph that is being written, in the operators of a `torch.export` archive: inputs, parameters under their
/// state-dict names, nodes in the order in which they run.
final class GraphBuilder {
    private let path: String
    /// Shapes of the base's floating-point tensors by name; nil where nothing is known of them.
    private let weights: [String: [Int]]?
    private var used: Set<String> = []
    private var parameters: [GraphInput] = []
    private var values: [String: GraphValue] = [:]
    private var users: [GraphInput] = []
    private var stored: [String: StoredTensor] = [:]
    private var tensors: [String: TensorMeta] = [:]
    private var nodes: [GraphNode] = []
    private var counts: [String: Int] = [:]
    /// How a text's embedding is made of its tokens' vectors; nil where the base says nothing of it.
    private let modules: SentenceModules?
    private var embedding: GraphValue?

    init(path: String, weights: [String: [Int]]?, modules: SentenceModules? = nil) {
        self.path = path
        self.weights = weights
        self.modules = modules
    }

    /// Gives out the texts' embeddings beside the logits, where the base says how they are made: of the last layer's
    /// output [texts, tokens, width]. To be called before the head is written.
    func embed(_ hidden: GraphValue, mask: GraphValue, tokens: GraphValue) {
        guard let pooling = modules?.pooling else { return }
        embedding = pooled(hidden, mask: mask, tokens: tokens, pooling)
    }

    /// Something that the user of the graph gives.
    func input(_ name: String, _ dtype: String, _ shape: [Int?], rule: InputRule = InputRule()) -> GraphValue {
        users.append(GraphInput(kind: .user, name: name, value: name, rule: rule))
        return record(GraphValue(name: name, dtype: dtype, shape: shape))
    }

    /// 0 at tokens that are padding; `isPaddedAtEnd` where they may not stand before the text.
    func paddingInput(isPaddedAtEnd: Bool) -> GraphValue {
        input("attention_mask", "int64", [nil, nil], rule: InputRule(isPaddedAtEnd: isPaddedAtEnd))
    }

    /// Whether the base holds a tensor of this name; false where nothing is known of it.
    func holds(_ name: String) -> Bool { weights?[name] != nil }

    /// The first of several beginnings with which the base holds the tensor; the first of all where none does.
    func prefix(of name: String, among prefixes: [String]) -> String {
        prefixes.first { holds($0 + name) } ?? prefixes[0]
    }

    /// The parameter of that name, float32 whatever the files' type is. `aliases` are other names of the same tensor.
    /// One that the base lacks is an error, but for a head, which each task brings. `kind`: a buffer has no gradient.
    func parameter(
        _ name: String, _ shape: [Int], aliases: [String] = [], isHead: Bool = false,
        kind: GraphInput.Kind = .parameter
    ) throws(ModelFamilyError) -> GraphValue {
        if let known = values[name] { return known }
        let names = [name] + aliases
        used.formUnion(names)
        if let weights {
            let present = names.filter { weights[$0] != nil }
            guard isHead || !present.isEmpty else {
                throw .weights(path: path, tensor: name, reason: "is not among the base's weights, but belongs to it")
            }
            for name in present where weights[name] != shape {
                throw .weights(
                    path: path, tensor: name, reason: "has shape \(weights[name] ?? []), but \(shape) is described")
            }
        }
        let value = GraphValue(name: "p_\(name)", dtype: "float32", shape: shape)
        parameters.append(GraphInput(kind: kind, name: name, value: value.name))
        values[name] = record(value)
        if let meta = tensors[value.name], !aliases.isEmpty {
            for alias in names { stored[alias] = StoredTensor(meta: meta, storage: name) }
        }
        return value
    }

    /// One node of an operator of ATen, by its name and overload (`add.Tensor`), with its one result.
    func call(
        _ target: String, _ arguments: KeyValuePairs<String, GraphArgument>, _ shape: [Int?],
        _ dtype: String = "float32"
    ) -> GraphValue {
        let value = record(GraphValue(name: newName(target), dtype: dtype, shape: shape))
        append(target, arguments, results: [value.name])
        return value
    }

    /// The same for an operator with two results.
    func call(
        _ target: String, _ arguments: KeyValuePairs<String, GraphArgument>, _ first: (shape: [Int?], dtype: String),
        _ second: (shape: [Int?], dtype: String)
    ) -> (GraphValue, GraphValue) {
        let name = newName(target)
        let values = (
            record(GraphValue(name: "\(name)_values", dtype: first.dtype, shape: first.shape)),
            record(GraphValue(name: "\(name)_indices", dtype: second.dtype, shape: second.shape))
        )
        append(target, arguments, results: [values.0.name, values.1.name])
        return values
    }

    /// The length of an axis: a number where it is fixed, else a node that gives it.
    func length(_ value: GraphValue, _ axis: Int) -> AxisLength {
        if let known = value.shape[axis] { return .known(known) }
        let target = "sym_size.int"
        let name = newName(target)
        append(target, ["self": value.argument, "dim": .int(axis)], results: [name])
        return .free(name)
    }

    /// Refuses tensors of the base that the graph does not use and that are not known to be of no use to it.
    func checkRest(spare: [String]) throws(ModelFamilyError) {
        for name in (weights ?? [:]).keys.sorted() where !used.contains(name) {
            guard !spare.contains(where: { name.hasPrefix($0) || name.hasSuffix($0) }) else { continue }
            throw .weights(path: path, tensor: name, reason: "is a tensor of the base, but nothing uses it")
        }
    }

    /// The graph, whole.
    func graph(returning output: GraphValue) -> ExportedGraph {
        let inputs = parameters + users
        var tensors = tensors
        tensors[output.name] = TensorMeta(dtype: output.dtype, shape: output.shape)
        let outputs = ([output] + [embedding].compactMap(\.self)).map(\.argument)
        let body = GraphBlock(
            inputs: inputs.compactMap { $0.value.map(GraphArgument.value) }, outputs: outputs, nodes: nodes,
            tensors: tensors)
        return ExportedGraph(
            path: path, inputs: inputs, body: body, outputs: outputs, stored: stored, embedding: stated)
    }

    private var stated: GraphSignature.Embedding? {
        if embedding != nil { return .output }
        guard let modules else {
            return .unsupported(reason: "the base has no modules.json, which says how they are made")
        }
        return .unsupported(reason: modules.fault ?? "those of this architecture are not built here")
    }

    private func append(
        _ target: String, _ arguments: KeyValuePairs<String, GraphArgument>, results: [String]
    ) {
        nodes.append(
            GraphNode(
                name: results[0], target: "torch.ops.aten.\(target.contains(".") ? target : target + ".default")",
                arguments: arguments.map { GraphNode.Argument(name: $0.key, value: $0.value) }, results: results))
    }

    private func record(_ value: GraphValue) -> GraphValue {
        tensors[value.name] = TensorMeta(dtype: value.dtype, shape: value.shape)
        return value
    }

    /// `linear`, `linear_1`, …
    private func newName(_ target: String) -> String {
        let stem = target.split(separator: ".").first.map(String.init) ?? target
        let count = counts[stem, default: 0]
        counts[stem] = count + 1
        return count == 0 ? stem : "\(stem)_\(count)"
    }
}
