/// How to merge: the `merge:` section of the configuration and the flags of `supermerge merge`.
package struct MergeSettings: Codable, Hashable, Sendable {
    package enum Strategy: String, Codable, CaseIterable, Sendable {
        /// All tasks in one fit, from `scale`.
        case joint
        /// All tasks in one fit, from the deployed release's weights.
        case incremental
        /// A tree of fits, at most `fanIn` children to a node: an arrival merges only its way to the root again, and
        /// what is in memory does not grow with the tasks.
        case hierarchical
        /// `incremental` where its estimate stays under `memory`, else `hierarchical`.
        case auto
    }

    package enum Granularity: String, Codable, CaseIterable, Sendable {
        /// One weight per parameter tensor and task: the paper's form.
        case tensor
        /// One weight per output row (first axis) of each parameter tensor and task.
        case row
        /// That, times a gain for each column, which starts at 1: c(r) · g(c) for the element in row r and column c.
        case rowColumn = "row-column"
        /// One weight per element and task. 24 bytes for each.
        case element
        /// `rowColumn`, or `tensor` where the tasks have few examples; see `settled`.
        case auto
    }

    /// How a trained weight becomes a merge coefficient, and what is trained for a column's gain.
    package enum Activation: String, Codable, CaseIterable, Sendable {
        /// c = tanh w, g = 1 + tanh v: the paper's.
        case tanh
        /// c = w between 0 and 1 and there the bound, as in AdaMerging; g = 1 + v between 0 and 2, which are tanh's
        /// bounds.
        case clamp
        /// c = w and g = 1 + v, of any size.
        case identity = "none"
    }

    /// The step size over the steps of a fit.
    package enum Schedule: String, Codable, CaseIterable, Sendable {
        case constant
        /// Falls along half a cosine, to 0 after `steps`: stays large for longer and settles as well.
        case cosine
        /// Falls evenly, to 0 after `steps`: a large one at first and yet a fit that settles.
        case falling
    }

    /// What SuperMerge's fit starts from and moves.
    package enum Start: String, Codable, CaseIterable, Sendable {
        /// The task vectors alone, from `scale`.
        case taskVectors = "task-vectors"
        /// The calibrated merge: these, and what calibration changes as one more direction.
        case calibrated
        /// Whichever has the lowest held-out loss after a few steps.
        case auto
    }

    package enum Loss: String, Codable, CaseIterable, Sendable {
        case labels, distillation, both
        /// Distillation, or the labels where tokens are predicted and the logits of all examples would be too many to
        /// keep.
        case auto
    }

    package enum Device: String, Codable, CaseIterable, Sendable {
        case cpu, cuda
    }

    package enum Precision: String, Codable, CaseIterable, Sendable {
        case f32, bf16
    }

    package var method: Method = .supermerge
    package var strategy: Strategy = .incremental
    /// Most children of a node of the tree.
    package var fanIn: Int = 2
    package var granularity: Granularity = .auto
    /// SuperMerge's; the other methods have their own.
    package var squash: Activation = .tanh
    package var loss: Loss = .auto
    /// Mixtures of examples for each fitted one, which distillation goes by in its stead; 0: the examples themselves.
    package var mixup: Int = 8
    /// What SuperMerge starts from.
    package var start: Start = .taskVectors
    /// Calibration's λ, relative to the mean square of a layer's inputs; nil: chosen by the held-out loss.
    package var ridge: Double?
    /// Most gradient steps of a fit.
    package var steps: Int = 600
    /// Adam's step size.
    package var learningRate: Double = 0.03
    /// What becomes of it.
    package var schedule: Schedule = .constant
    /// Share of `steps` that SuperMerge takes from the weights of a deployed release which has most of the tasks; 1: a
    /// fit like any other.
    package var arrivalShare: Double = 0.2
    /// Adam's step size at the start of such a fit; it falls to 0.
    package var arrivalLearningRate: Double = 0.1
    /// Examples of each task in a step.
    package var batch: Int = 16
    /// Steps between two looks at the held-out examples.
    package var evaluateEvery: Int = 10
    /// Looks without a better held-out loss before the fit stops early.
    package var patience: Int = 10
    /// Merge coefficient that every weight starts from (w₀ = atanh(scale)), and λ of the static methods.
    package var scale: Double = 0.3
    /// Whether a static method's λ is searched on the validation sets instead.
    package var searchesScale: Bool = false
    /// Share of each task vector's elements that TIES and DARE keep; nil: the method's usual one.
    package var density: Double?
    /// Share of each validation set that is kept from the fit, for choosing the step and for the gate.
    package var holdout: Double = 0.25
    package var seed: UInt64 = 0
    /// Threads of the numerical library; 0: as many as the machine has cores.
    package var threads: Int = 0
    package var device: Device = .cpu
    package var precision: Precision = .f32
    /// Bytes that a merge should stay under.
    package var memory: Int64 = 8 << 30
    /// Whether the release is written as one adapter, too.
    package var writesAdapter: Bool = false
    /// Most bytes of a file of the merged weights; a larger model is written in shards.
    package var maxShardSize: Int64 = 5_000_000_000

    package init() {}
}

extension MergeSettings {
    /// What a task of this objective is fitted to; never `auto`.
    package func loss(of objective: TaskSettings.Objective) -> Loss {
        guard loss == .auto else { return loss }
        return objective.predictsTokens ? .labels : .distillation
    }

    /// Whether what is merged needs no score on the way: examples may then stay unused.
    package var canMergeUnscored: Bool { !method.needsExamples && !method.needsLinearAlgebra && !searchesScale }

    /// Whether a task of this objective can only be merged with labels: no other method and no distillation looks at
    /// them.
    package func needsLabels(_ objective: TaskSettings.Objective) -> Bool {
        method == .supermerge && loss(of: objective) != .distillation
    }

    /// Why nothing can be computed on `device` here, and what to set instead; else nil.
    package var deviceFault: String? {
        Product.devices.contains(device) ? nil : "CUDA is not available in this build; set `device: cpu`"
    }

    /// What `scale` would have to be, where it is not: a learned fit has to start where its weights move. Else nil.
    package var scaleFault: String? {
        guard method.isLearned else { return nil }
        switch (method, squash) {
        case (.supermerge, .identity): return !searchesScale && scale.isFinite ? nil : "a number"
        case (.supermerge, .clamp): return !searchesScale && (0...1).contains(scale) ? nil : "between 0 and 1"
        default: return !searchesScale && abs(scale) < 1 ? nil : "between -1 and 1, both excluded,"
        }
    }

    /// Why `writesAdapter` can't be had with these settings, and what to set instead; else nil.
    package var adapterFault: String? {
        guard writesAdapter else { return nil }
        guard method.keepsFactors else {
            return
                "can't be had with \(method.rawValue), which does not keep the adapters' factors; choose another method"
        }
        guard method != .supermerge || start != .calibrated else {
            return
                "can't be had with start calibrated, whose correction has no low rank; choose start task-vectors or auto"
        }
        guard method.isLearned, granularity == .element else { return nil }
        return "can't be had with granularity element, which leaves no low rank; choose tensor, row or row-column"
    }

    /// A key that another version of the program did not write has its default.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let standard = MergeSettings()
        method = try values.decodeIfPresent(Method.self, forKey: .method) ?? standard.method
        strategy = try values.decodeIfPresent(Strategy.self, forKey: .strategy) ?? standard.strategy
        fanIn = try values.decodeIfPresent(Int.self, forKey: .fanIn) ?? standard.fanIn
        granularity = try values.decodeIfPresent(Granularity.self, forKey: .granularity) ?? standard.granularity
        squash = try values.decodeIfPresent(Activation.self, forKey: .squash) ?? standard.squash
        loss = try values.decodeIfPresent(Loss.self, forKey: .loss) ?? standard.loss
        mixup = try values.decodeIfPresent(Int.self, forKey: .mixup) ?? standard.mixup
        start = try values.decodeIfPresent(Start.self, forKey: .start) ?? standard.start
        ridge = try values.decodeIfPresent(Double.self, forKey: .ridge)
        steps = try values.decodeIfPresent(Int.self, forKey: .steps) ?? standard.steps
        learningRate = try values.decodeIfPresent(Double.self, forKey: .learningRate) ?? standard.learningRate
        schedule = try values.decodeIfPresent(Schedule.self, forKey: .schedule) ?? standard.schedule
        arrivalShare = try values.decodeIfPresent(Double.self, forKey: .arrivalShare) ?? standard.arrivalShare
        arrivalLearningRate =
            try values.decodeIfPresent(Double.self, forKey: .arrivalLearningRate) ?? standard.arrivalLearningRate
        batch = try values.decodeIfPresent(Int.self, forKey: .batch) ?? standard.batch
        evaluateEvery = try values.decodeIfPresent(Int.self, forKey: .evaluateEvery) ?? standard.evaluateEvery
        patience = try values.decodeIfPresent(Int.self, forKey: .patience) ?? standard.patience
        scale = try values.decodeIfPresent(Double.self, forKey: .scale) ?? standard.scale
        searchesScale = try values.decodeIfPresent(Bool.self, forKey: .searchesScale) ?? standard.searchesScale
        density = try values.decodeIfPresent(Double.self, forKey: .density)
        holdout = try values.decodeIfPresent(Double.self, forKey: .holdout) ?? standard.holdout
        seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? standard.seed
        threads = try values.decodeIfPresent(Int.self, forKey: .threads) ?? standard.threads
        device = try values.decodeIfPresent(Device.self, forKey: .device) ?? standard.device
        precision = try values.decodeIfPresent(Precision.self, forKey: .precision) ?? standard.precision
        memory = try values.decodeIfPresent(Int64.self, forKey: .memory) ?? standard.memory
        writesAdapter = try values.decodeIfPresent(Bool.self, forKey: .writesAdapter) ?? standard.writesAdapter
        maxShardSize = try values.decodeIfPresent(Int64.self, forKey: .maxShardSize) ?? standard.maxShardSize
    }
}
