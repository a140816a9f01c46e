/// A language model that reads from left to right: what `DecoderStack` builds of it.
struct DecoderOptions {
    enum Positions {
        /// Only what layers do with `rotaries`.
        case none
        /// A trained table `name.weight` of `rows`, the first `offset` of which are no position.
        case learned(name: String, rows: Int, offset: Int, countsText: Bool)
        /// Sines and cosines, computed, the first `offset` left out (XGLM).
        case sinusoidal(offset: Int)
        /// Scores fall with the distance (Press et al., arXiv 2108.12409). Falcon computes the bias in bfloat16, and
        /// scales it with the scores.
        case alibi(isFalcon: Bool, maximum: Double = 8)
    }

    var vocabulary: Int
    var width: Int
    var layers: Int
    /// Width of the embedding, where it is projected to the model's (OPT-350m).
    var embeddingWidth: Int?
    var layer: TransformerLayer
    /// Changes the layer of an index.
    var vary: (Int, inout TransformerLayer) -> Void = { _, _ in }
    var rotaries: [Rotary] = []
    var positions = Positions.none
    /// The norm before the output; nil where there is none.
    var finalNorm: Norm?
    /// The row of the embedding without a gradient.
    var padding: Int?
    var isTied: Bool
    var embeddingScale: Double?
    /// A norm of the embedding.
    var embeddingNorm: (name: String, norm: Norm)?
    var logitScale: Double?
    /// Logits become cap · tanh(logit / cap).
    var logitCap: Double?
    var queryGrowth: (beta: Double, context: Int)?

    /// Beginnings of names; files have the first, or are saved without a head.
    var prefixes = ["model.", ""]
    var embeddingName = "embed_tokens"
    var layersName = "layers"
    var finalNormName = "norm"
    /// Names of the output layer; the first that the base has, or the first of all.
    var outputNames = ["lm_head"]
    var hasOutputBias = false
    var projections = (in: "project_in", out: "project_out")
    /// Names of the heads that transformers gives.
    var sequenceHead = "score"
    var tokenHead = "score"

    init(vocabulary: Int, width: Int, layers: Int, layer: TransformerLayer, isTied: Bool, padding: Int? = nil) {
        self.vocabulary = vocabulary
        self.width = width
        self.layers = layers
        self.layer = layer
        self.isTied = isTied
        self.padding = padding
        finalNorm = layer.norm
    }
}
