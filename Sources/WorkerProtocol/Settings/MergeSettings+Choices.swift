extension MergeSettings {
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
        /// These, and what calibration changes as one more direction, from 0.
        case correction
        /// The same from the calibrated merge.
        case calibrated
        /// `taskVectors` or `correction`, whichever has the lower held-out loss after a few steps.
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
}
