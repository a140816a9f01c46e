/// Where the fit started, and why.
package struct StartChoice: Codable, Hashable, Sendable {
    package enum Start: String, Codable, Sendable {
        /// At coefficients of the task vectors.
        case taskVectors = "task-vectors"
        /// At coefficients of the task vectors, with what calibration changes as one more direction from 0.
        case correction
        /// At the model that calibration made.
        case calibrated
    }

    package var start: Start
    /// One sentence, for the ledger and `release.json`.
    package var reason: String

    package init(start: Start, reason: String) {
        self.start = start
        self.reason = reason
    }
}

/// Passes of a batch of one task's examples through the graph.
package struct PassCount: Codable, Hashable, Sendable {
    package enum Phase: String, Codable, CaseIterable, Sendable { case scoring, calibrating, fitting }

    package var forward = 0
    package var backward = 0

    package init() {}
}

/// How much of what the tasks bring is merged.
package struct MergedShare: Codable, Hashable, Sendable {
    /// Tensors of the base that some task takes part in.
    package var tensors: Int
    /// Tensors of the base that are in the release as they were.
    package var left: Int
    /// Task → tensors shipped with it, as its head.
    package var shipped: [String: Int]
    /// Task → share of its parameters that are merged, the others being its head's.
    package var shares: [String: Double]
    /// The smallest of `shares`; 1 without tasks.
    package var share: Double

    package init(tensors: Int, left: Int, shipped: [String: Int], shares: [String: Double]) {
        self.tensors = tensors
        self.left = left
        self.shipped = shipped
        self.shares = shares
        share = shares.values.min() ?? 1
    }
}

/// The memory of a merge.
package struct MemoryUse: Codable, Hashable, Sendable {
    /// Where the weights of the model lie while it runs.
    package enum Weights: String, Codable, Sendable { case resident, streamed }

    /// Largest resident size of the worker in bytes.
    package var peak: Int64
    package var weights: Weights

    package init(peak: Int64, weights: Weights) {
        self.peak = peak
        self.weights = weights
    }
}
