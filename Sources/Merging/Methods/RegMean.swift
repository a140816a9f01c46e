internal import WorkerProtocol

/// RegMean (Jin et al., "Dataless Knowledge Fusion", arXiv 2212.09849): the weights of linear layers are averaged by
/// the Gram matrices of the inputs that they have in their own checkpoints; everything else is averaged. Forward passes
/// of the checkpoints alone, no labels.
enum RegMean: LayerwiseMethod {
    static let method = MergeSettings.Method.regMean
    static let scales: [Double] = []

    static func ridges(_ settings: ResolvedSettings) -> RidgeSearch { RidgeSearch(GramAverage.ridge) }

    /// a = 0.9, the authors' for most models.
    static func form(ridge: Double) -> LayerwiseForm {
        .gramAverage(share: 0.9, inputs: .checkpoint)
    }

    static func weights(
        tasks count: Int, layers: [Layer], scale: Double, squash: MergeSettings.Activation
    ) -> MergingWeights {
        Averaging.weights(tasks: count, layers: layers, scale: scale, squash: squash)
    }
}

/// RegMean++ (Nguyen et al., arXiv 2508.03121): RegMean with the inputs that a layer has in the merged model, the
/// layers before it merged.
enum RegMeanPlusPlus: LayerwiseMethod {
    static let method = MergeSettings.Method.regMeanPlusPlus
    static let scales: [Double] = []

    static func ridges(_ settings: ResolvedSettings) -> RidgeSearch { RidgeSearch(GramAverage.ridge) }

    /// a = 0.95, the authors' for CLIP; language models take less (0.1 to 0.6).
    static func form(ridge: Double) -> LayerwiseForm {
        .gramAverage(share: 0.95, inputs: .merged)
    }

    static func weights(
        tasks count: Int, layers: [Layer], scale: Double, squash: MergeSettings.Activation
    ) -> MergingWeights {
        Averaging.weights(tasks: count, layers: layers, scale: scale, squash: squash)
    }
}
