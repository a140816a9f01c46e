internal import ExportedModel
internal import Tasks
internal import Torch

extension Objective {
    /// What is wanted of the model.
    var output: ModelOutput { kind == .similarity ? .embeddings : .logits }

    /// Inputs [pairs, 2, …] as [2 · pairs, …]: the texts of a pair one behind the other.
    static func texts(ofPairs inputs: [String: Tensor]) throws -> [String: Tensor] {
        try inputs.mapValues { given in
            guard given.shape.count > 1, given.shape[1] == 2 else { throw LabelFault.noPairs(given.shape) }
            return try given.reshaped([2 * given.shape[0]] + given.shape.dropFirst(2))
        }
    }

    /// The cosine of the embeddings of each pair's texts, [pairs], from those of all texts, [2 · pairs, width]: what
    /// sentence-transformers' `CosineSimilarityLoss` takes the mean squared error of, and its
    /// `EmbeddingSimilarityEvaluator` correlates with the scores.
    static func cosines(_ embeddings: Tensor) throws -> Tensor {
        guard embeddings.shape.count == 2 else { throw LabelFault.noEmbeddings(embeddings.shape) }
        let (texts, width) = (embeddings.shape[0], embeddings.shape[1])
        let pairs = try embeddings.to(.float32).reshaped([texts / 2, 2 * width])
        return try .one(
            "aten::cosine_similarity",
            [
                .tensor(pairs.columns(from: 0, count: width)), .tensor(pairs.columns(from: width, count: width)),
                .int(1), .double(1e-8),
            ])
    }
}
