internal import ExportedGraph

/// The part that ViT and CLIP share (Dosovitskiy et al., arXiv 2010.11929): square patches of an image as tokens behind one for the
/// whole.
struct VisionTower {
    let width: Int
    let layers: Int
    let heads: Int
    let headWidth: Int
    let inner: Int
    let activation: Activation
    let epsilon: Double
    private let channels: Int
    private let image: (height: Int, width: Int)
    private let patch: (height: Int, width: Int)

    init(
        _ configuration: ModelConfiguration, activation: String, epsilon: Double, patch: Int
    ) throws(ModelFamilyError) {
        width = try configuration.count("hidden_size", default: 768)
        layers = try configuration.count("num_hidden_layers", default: 12)
        heads = try configuration.count("num_attention_heads", default: 12)
        inner = try configuration.count("intermediate_size", default: 3072)
        channels = try configuration.count("num_channels", default: 3)
        image = try configuration.sides("image_size", default: 224)
        self.patch = try configuration.sides("patch_size", default: patch)
        self.activation = try configuration.activation("hidden_act", default: activation)
        self.epsilon = try configuration.number("layer_norm_eps", default: epsilon)
        headWidth = try configuration.headWidth(width, heads: heads, key: "num_attention_heads")
        guard image.height >= self.patch.height, image.width >= self.patch.width else {
            throw configuration.unsupported("patch_size", "is larger than the image")
        }
    }

    /// Patches of an image, and the token for the whole.
    var tokens: Int { (image.height / patch.height) * (image.width / patch.width) + 1 }

    func pixels(_ draft: GraphBuilder) -> GraphValue {
        draft.input("pixel_values", "float32", [nil, channels, image.height, image.width])
    }

    /// [batch, tokens, width]: `whole` [1, 1, width] or [width], then the patches through the convolution `name`.
    func patches(
        _ pixels: GraphValue, behind whole: GraphValue, _ name: String, hasBias: Bool, _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let weight = try draft.parameter("\(name).weight", [width, channels, patch.height, patch.width])
        let bias = hasBias ? try draft.parameter("\(name).bias", [width]) : nil
        let grid = draft.call(
            "conv2d",
            [
                "input": pixels.argument, "weight": weight.argument, "bias": bias?.argument ?? .none,
                "stride": .list([.int(patch.height), .int(patch.width)]),
            ], [nil, width, image.height / patch.height, image.width / patch.width])
        let flat = draft.call(
            "flatten.using_ints", ["self": grid.argument, "start_dim": .int(2)], [nil, width, tokens - 1])
        let first = draft.expand(whole, [draft.length(pixels, 0), .known(1), .known(width)])
        return draft.join(first, draft.transpose(flat, 1, 2), axis: 1)
    }
}
