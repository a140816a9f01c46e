internal import WorkerProtocol

/// LOT (layer-wise optimal task vectors, arXiv 2505.23859): the task vectors of linear layers are averaged by the Gram
/// matrices of the inputs that they have in their own checkpoints, T = (Σ X_iᵀX_i)⁺ Σ X_iᵀX_i T_i, those of norms'
/// scales element by element by the squares of the normalised inputs, and all others evenly; θ = θp + λ T. Forward
/// passes of the checkpoints alone, no labels.
///
/// T is solved for once, as what it differs by from the even mean (`Correction`); λ scales both. Directions that no
/// input shows keep the base's weights, as with the pseudo-inverse.
enum LOT: LayerwiseMethod {
    static let method = MergeSettings.Method.lot
    /// The authors take 1.2 to 1.5.
    static let scales = [0.8, 1.0, 1.2, 1.3, 1.4, 1.5, 1.6]

    static func ridges(_ settings: ResolvedSettings) -> RidgeSearch { RidgeSearch(GramAverage.ridge) }
    static func form(ridge: Double) -> LayerwiseForm { .vectorAverage }

    /// λ times the mean.
    static func weights(
        tasks count: Int, layers: [Layer], scale: Double, squash: MergeSettings.Activation
    ) -> MergingWeights {
        MergingWeights(
            taskCount: count, layers: layers, coefficient: scale / Double(max(1, count)), squash: .identity)
    }
}
