internal import ExportedGraph

/// A transformer over the square patches of an image (Dosovitskiy et al., arXiv 2010.11929): what `VisionStack` builds
/// of it.
struct VisionOptions {
    enum Positions {
        /// A parameter [1, tokens, width] of that name.
        case parameter(String)
        /// A table `name.weight` [tokens, width].
        case table(String)
        case none
    }

    var width: Int
    var layers: Int
    var layer: TransformerLayer
    /// The name of the layer of an index.
    var layerName: (Int) -> String = { "encoder.layer.\($0)." }
    var channels: Int
    var image: (height: Int, width: Int)
    var patch: (height: Int, width: Int)
    /// The convolution that makes a token of a patch.
    var projection: (name: String, hasBias: Bool)
    /// Parameters of single tokens before the patches.
    var classTokens: [(name: String, shape: [Int])] = []
    /// A parameter [1, count, width] of tokens behind the class token, which have no position.
    var registers: (name: String, count: Int)?
    var positions: Positions
    /// The table that gives a layer's scores their bias by the offset of two patches, by the layer's index (BEiT).
    var positionBias: ((Int) -> String)?
    /// A norm of the tokens before the layers (CLIP).
    var firstNorm: String?
    /// The norm behind the layers, by name.
    var finalNorm: String?
    var prefixes: [String]

    /// Tokens of the patches.
    var patches: Int { (image.height / patch.height) * (image.width / patch.width) }

    /// What the keys of ViT say. `activation`, `epsilon` and `patch` are the family's defaults.
    init(
        _ configuration: ModelConfiguration, activation: String, epsilon: Double, patch: Int, prefix: String
    ) throws(ModelFamilyError) {
        width = try configuration.count("hidden_size", default: 768)
        layers = try configuration.count("num_hidden_layers", default: 12)
        channels = try configuration.count("num_channels", default: 3)
        image = try configuration.sides("image_size", default: 224)
        self.patch = try configuration.sides("patch_size", default: patch)
        let heads = try configuration.count("num_attention_heads", default: 12)
        var attention = SelfAttention(
            heads: heads, width: try configuration.headWidth(width, heads: heads, key: "num_attention_heads"))
        attention.hasBias = try configuration.flag("qkv_bias", default: true)
        attention.hasOutputBias = true
        let feedForward = FeedForward(
            form: .plain, inner: try configuration.count("intermediate_size", default: 4 * width),
            activation: try configuration.activation("hidden_act", default: activation), hasBias: true)
        layer = TransformerLayer(
            attention: attention, feedForward: feedForward,
            norm: .layer(try configuration.number("layer_norm_eps", default: epsilon)))
        layer.rotary = nil
        projection = ("embeddings.patch_embeddings.projection", true)
        positions = .parameter("embeddings.position_embeddings")
        prefixes = [prefix, ""]
        guard image.height >= self.patch.height, image.width >= self.patch.width else {
            throw configuration.unsupported("patch_size", "is larger than the image")
        }
    }
}

/// Writes the graph of a vision transformer from pixels to the last layer's output.
struct VisionStack {
    let options: VisionOptions
    let prefix: String
    private let graph: GraphBuilder

    static let inert: Set = [
        "attention_dropout", "attention_probs_dropout_prob", "drop_path_rate", "dropout", "encoder_stride",
        "hidden_dropout_prob", "initializer_factor", "out_features", "out_indices", "pooler_act",
        "pooler_output_size", "projection_dim", "reshape_hidden_states", "stage_names", "tie_word_embeddings",
    ]

    init(_ options: VisionOptions, _ graph: GraphBuilder) {
        self.options = options
        self.graph = graph
        prefix = graph.prefix(of: options.projection.name + ".weight", among: options.prefixes)
    }

    /// The output [batch, tokens, width]: class tokens, registers, patches.
    func output() throws(ModelFamilyError) -> GraphValue {
        let pixels = graph.input(
            "pixel_values", "float32", [nil, options.channels, options.image.height, options.image.width])
        var hidden = try tokens(pixels)
        if let name = options.firstNorm { hidden = try graph.norm(hidden, prefix + name, options.layer.norm) }
        let (rows, columns) = (options.image.height / options.patch.height, options.image.width / options.patch.width)
        for index in 0..<options.layers {
            var context = LayerContext()
            if let table = options.positionBias?(index) {
                context.mask = try graph.patchBias(
                    prefix + table, height: rows, width: columns, heads: options.layer.attention.heads)
            }
            hidden = try options.layer.output(hidden, prefix + options.layerName(index), context, graph)
        }
        guard let name = options.finalNorm else { return hidden }
        return try graph.norm(hidden, prefix + name, options.layer.norm)
    }

    private func tokens(_ pixels: GraphValue) throws(ModelFamilyError) -> GraphValue {
        let width = options.width
        let batch = graph.length(pixels, 0)
        var hidden = try patches(pixels)
        var first: [GraphValue] = []
        for token in options.classTokens {
            let parameter = try graph.parameter(prefix + token.name, token.shape)
            first.append(graph.expand(parameter, [batch, .known(1), .known(width)]))
        }
        hidden = graph.join(first + [hidden], axis: 1)
        let count = options.patches + first.count
        switch options.positions {
        case .none: break
        case .parameter(let name):
            hidden = graph.add(hidden, try graph.parameter(prefix + name, [1, count, width]))
        case .table(let name):
            hidden = graph.add(hidden, try graph.parameter("\(prefix)\(name).weight", [count, width]))
        }
        guard let registers = options.registers else { return hidden }
        let parameter = try graph.parameter(prefix + registers.name, [1, registers.count, width])
        let added = graph.expand(parameter, [batch, .known(registers.count), .known(width)])
        return graph.join(
            [
                graph.slice(hidden, 1, from: 0, to: first.count), added,
                graph.slice(hidden, 1, from: first.count, to: count),
            ], axis: 1)
    }

    /// [batch, patches, width].
    private func patches(_ pixels: GraphValue) throws(ModelFamilyError) -> GraphValue {
        let (patch, name) = (options.patch, prefix + options.projection.name)
        let weight = try graph.parameter(
            "\(name).weight", [options.width, options.channels, patch.height, patch.width])
        let bias = options.projection.hasBias ? try graph.parameter("\(name).bias", [options.width]) : nil
        return graph.places(graph.convolution(pixels, weight, bias, stride: patch))
    }
}

extension GraphBuilder {
    /// The mean of the tokens from `first` on.
    func patchMean(_ hidden: GraphValue, from first: Int) -> GraphValue {
        mean(slice(hidden, 1, from: first, to: hidden.shape[1] ?? first), axis: 1)
    }
}
