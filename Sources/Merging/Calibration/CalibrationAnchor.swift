internal import Torch
internal import WorkerProtocol

/// The merge that calibration holds the layers' weights to, W₀: what they are in directions that the examples' inputs
/// do not show.
enum CalibrationAnchor {
    /// θp + Σᵢ c τᵢ, where the fit starts.
    case taskVectors
    /// Iso-CTS (arXiv 2502.04959) of the matrices that two tasks or more move; what else there is as in `taskVectors`.
    /// On the zoo's tasks it is the better merge without examples (validation accuracy: vision 59.6 % against 49.5 %).
    case isotropic

    /// What it is called to people.
    var name: String {
        switch self {
        case .taskVectors: "the task vectors"
        case .isotropic: MergeSettings.Method.isoCTS.rawValue
        }
    }

    /// Floating point operations of the decompositions above which `isotropic` is not tried: minutes on two cores.
    private static let mostOperations = 1e13
    /// Of a singular value decomposition of m × n, m ≥ n, in units of m n².
    private static let decomposition = 20.0

    /// Those that can be had for these matrices in reasonable time.
    static func candidates(_ vectors: TaskVectors) -> [CalibrationAnchor] {
        let operations = vectors.layers.indices.filter { hasMatrix($0, vectors) }.reduce(0.0) { sum, layer in
            let shape = vectors.layers[layer].shape.map(Double.init)
            let count = Double(vectors.movers(of: layer).count + 3)
            return sum + decomposition * count * shape[0] * shape[1] * min(shape[0], shape[1])
        }
        return operations > 0 && operations <= mostOperations ? [.taskVectors, .isotropic] : [.taskVectors]
    }

    private static func hasMatrix(_ layer: Int, _ vectors: TaskVectors) -> Bool {
        vectors.layers[layer].shape.count == 2 && vectors.movers(of: layer).count > 1
    }

    /// Gives W₀ to those of `layers` whose `weights`, the merge at the fit's start, are others; gives these.
    func fill(_ layers: [Int], _ weights: CalibratedWeights, _ vectors: TaskVectors) throws -> [Int] {
        guard self == .isotropic else { return [] }
        return try layers.filter { layer in
            guard Self.hasMatrix(layer, vectors) else { return false }
            let origin = try vectors.origin(of: layer)
            let change = try IsoCTS.combined(
                vectors.movers(of: layer).map { try vectors.checkpoint(of: $0, layer: layer).subtracting(origin) })
            let merged = try change.multiplied(by: MergeSettings.Method.isoCTS.usualScale).adding(origin)
            guard try merged.isFinite() else { return false }
            try weights.take(merged, of: layer)
            weights.release()
            return true
        }
    }
}
