internal import WorkerProtocol

/// How one method makes θm of θp and the task vectors; what it is called, needs and usually takes is
/// `MergeSettings.Method`. Each is one file of this folder with its paper, and an entry of `MergeMethods.all`.
protocol MergeMethod: Sendable {
    static var method: MergeSettings.Method { get }

    /// Coefficients before any training: the whole of a method that trains nothing, where it needs no rule, and where
    /// the fit of the others starts. `scale`: λ, or the coefficient to start from; `squash`: how weights of SuperMerge
    /// become coefficients.
    static func weights(
        tasks count: Int, layers: [Layer], scale: Double, squash: MergeSettings.Activation
    ) -> MergingWeights

    /// What is done with the task vectors beside scaling them. Reads them as often as it must to know. `progress`:
    /// counts layers read, of how many.
    static func rule(
        for vectors: TaskVectors, _ settings: ResolvedSettings, progress: (_ done: Int, _ total: Int) throws -> Void
    ) throws -> any MergeRule

    /// The λ to try where it is searched on examples; none where there is no λ.
    static var scales: [Double] { get }
}

extension MergeMethod {
    /// c = λ for every task and layer.
    static func weights(
        tasks count: Int, layers: [Layer], scale: Double, squash: MergeSettings.Activation
    ) -> MergingWeights {
        MergingWeights(taskCount: count, layers: layers, coefficient: scale, squash: .identity)
    }

    /// A sum of scaled task vectors.
    static func rule(
        for vectors: TaskVectors, _ settings: ResolvedSettings, progress: (_ done: Int, _ total: Int) throws -> Void
    ) throws -> any MergeRule { ScaledSum() }

    /// 0 to 1 by 0.05.
    static var scales: [Double] { (0...20).map { Double($0) / 20 } }
}

/// The implementations.
enum MergeMethods {
    static let all: [any MergeMethod.Type] = [
        SuperMerge.self, Averaging.self, TaskArithmetic.self, TIES.self, DARE.self, AdaMerging.self, Calibrate.self,
        RegMean.self, RegMeanPlusPlus.self, LOT.self, TSV.self, IsoC.self, IsoCTS.self,
    ]

    /// The implementation of a method. Every method has one: a test holds this list against
    /// `MergeSettings.Method.allCases`.
    static func implementation(of method: MergeSettings.Method) -> any MergeMethod.Type {
        guard let found = all.first(where: { $0.method == method }) else {
            preconditionFailure("method \(method.rawValue) has no entry in MergeMethods.all")
        }
        return found
    }
}

extension MergingWeights {
    /// Coefficients before any training; see `MergeMethod.weights`. Whatever the method, running statistics of batch
    /// norms are averaged.
    init(
        method: MergeSettings.Method, taskCount: Int, layers: [Layer], scale: Double,
        squash: MergeSettings.Activation = .tanh
    ) {
        self = MergeMethods.implementation(of: method)
            .weights(tasks: taskCount, layers: layers, scale: scale, squash: squash)
        averageStatistics(layers)
    }
}
