/// How one model does on one task's held-out examples.
package struct Score: Codable, Hashable, Sendable {
    /// Examples scored.
    package var examples: Int
    /// Mean loss per example (nats for classification); with the metric `agreement` the divergence from the task's own
    /// checkpoint.
    package var loss: Double
    /// Name of the metric, for example `accuracy`; higher is better, but for `perplexity`.
    package var metric: String
    package var value: Double

    package init(examples: Int, loss: Double, metric: String, value: Double) {
        self.examples = examples
        self.loss = loss
        self.metric = metric
        self.value = value
    }
}

extension Score {
    /// The metric of a task without labels: the share of examples on which the model predicts what the task's own
    /// checkpoint does, or for numbers their correlation with the checkpoint's.
    package static let agreement = "agreement"

    /// The metric in a sentence: what is agreed with is said.
    package static func phrase(_ metric: String) -> String {
        metric == agreement ? "agreement with its own checkpoint" : metric
    }

    /// Whether a smaller value is the better one.
    package var isLowerBetter: Bool { metric == Metric.perplexity.rawValue }

    /// How much worse than `before` this is: the difference, of a perplexity as a share of `before`. Negative where it
    /// is better.
    package func fall(from before: Score) -> Double {
        guard isLowerBetter else { return before.value - value }
        return before.value > 0 ? (value - before.value) / before.value : 0
    }
}

/// Two models on the same examples, for a paired test.
package struct PairedCounts: Codable, Hashable, Sendable {
    /// Predictions that the candidate gets right and the deployed release wrong; of numbers those that it gets nearer.
    package var gained: Int
    /// The reverse.
    package var lost: Int
    /// Examples compared: those held out, or where these are fewer than `fewestExamples` all that the task has. Nil:
    /// those of the scores.
    package var examples: Int?
    /// p of a paired test of the metric where that is not the share of predictions that are right; nil: McNemar's test
    /// of `gained` and `lost` is the one (Psychometrika 12, 1947).
    package var p: Double?
    /// Where all examples are compared: of those held out the lost ones less the gained.
    package var lostHeldOut: Int?

    /// With fewer examples no exact paired test can fall below 0.05, whatever happens.
    package static let fewestExamples = 6

    package init(gained: Int, lost: Int, examples: Int? = nil, p: Double? = nil, lostHeldOut: Int? = nil) {
        self.gained = gained
        self.lost = lost
        self.examples = examples
        self.p = p
        self.lostHeldOut = lostHeldOut
    }
}

/// What a merge did to one task. All scores are on the same held-out examples.
package struct TaskResult: Codable, Hashable, Sendable {
    package var task: String
    /// Examples that the fit saw.
    package var fitted: Int
    /// The base with this task's head.
    package var base: Score?
    /// The task's own checkpoint.
    package var own: Score?
    /// The deployed release; nil for a task that it does not have.
    package var deployed: Score?
    /// The candidate.
    package var merged: Score?
    /// The candidate against the deployed release.
    package var paired: PairedCounts?

    package init(task: String, fitted: Int) {
        self.task = task
        self.fitted = fitted
    }
}

/// One look at the fit.
package struct FitPoint: Codable, Hashable, Sendable {
    package var step: Int
    /// Mean loss over the tasks' batches of this step.
    package var loss: Double
    /// Mean held-out loss over the tasks, where it was taken at this step.
    package var heldOut: Double?

    package init(step: Int, loss: Double, heldOut: Double? = nil) {
        self.step = step
        self.loss = loss
        self.heldOut = heldOut
    }
}

/// What a worker made. It becomes the heart of `release.json`.
package struct MergeResult: Codable, Hashable, Sendable {
    package var tasks: [TaskResult]
    /// The loss over the steps, `[FitPoint].mostKept` points at most; empty for methods that learn nothing.
    package var curve: [FitPoint]
    /// Steps taken, and the step whose weights were kept.
    package var steps: Int
    package var bestStep: Int
    /// Trained weights in all.
    package var weights: Int
    /// Merge coefficients, squashed weights: layer → one number per task in the plan's order (rows averaged at
    /// granularity `row`).
    package var coefficients: [String: [Double]]
    /// Files written under the plan's output directory, with their digests.
    package var outputs: [SourceFile]
    /// Versions of what computed: program, libtorch, BLAS, threads.
    package var versions: [String: String]
    /// SHA-256 of the programs that computed: the worker, and the library by which it runs graphs where it loaded it.
    package var programs: [String: String]
    /// When the merge began, ISO 8601 in UTC; nil where nobody looked at the clock.
    package var started: String?
    /// Wall-clock seconds of the merge, and the largest resident memory in bytes.
    package var seconds: Double
    package var peakMemory: Int64
    /// What a reader of the scores has to know, one sentence each: for example that the deployed release could not be
    /// scored.
    package var notes: [String]
    /// How the tasks were fitted together, and why; nil where nothing was learned.
    package var strategy: StrategyChoice?
    /// What `auto` became; nil where nothing was learned.
    package var form: MergeForm?
    /// The merges of a hierarchical fit, children before parents; `steps`, `bestStep` and `curve` are then the root's.
    package var tree: [TreeNode]
    /// Pairs of tasks whose likeness was measured, in order of their names.
    package var similarities: [TaskSimilarity]
    /// Where the fit started, and why; nil where nothing was trained, and in older files.
    package var start: StartChoice?
    /// Passes of a batch through the graph, by phase (`PassCount.Phase`); empty where none ran, and in older files.
    package var passes: [String: PassCount]
    /// Floating point operations of one forward pass of a batch of the settings' size, with examples as long as the
    /// longest: an estimate from the graph. Nil where none ran, and in older files.
    package var flopsPerPass: Double?
    /// How much of what the tasks bring is merged; nil in older files.
    package var merged: MergedShare?
    /// Nil in older files, which have `peakMemory` alone.
    package var memory: MemoryUse?
    /// Where it was computed, and the type of the matrix products: `cpu` and `f32` in older files.
    package var device: String
    package var dtype: String

    package init(tasks: [TaskResult]) {
        self.tasks = tasks
        curve = []
        steps = 0
        bestStep = 0
        weights = 0
        coefficients = [:]
        outputs = []
        versions = [:]
        programs = [:]
        seconds = 0
        peakMemory = 0
        notes = []
        tree = []
        similarities = []
        passes = [:]
        device = MergeSettings.Device.cpu.rawValue
        dtype = MergeSettings.Precision.f32.rawValue
    }
}

extension MergeResult {
    /// About the floating point operations of all passes, a backward pass counted as two forward ones; nil where that
    /// of one pass is not known.
    package var flops: Double? {
        flopsPerPass.map { one in
            passes.values.reduce(0) { $0 + one * Double($1.forward + 2 * $1.backward) }
        }
    }

    /// A key that another version of the program did not write is empty; only `tasks` has to be there.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(tasks: try values.decode([TaskResult].self, forKey: .tasks))
        curve = try values.decodeIfPresent([FitPoint].self, forKey: .curve) ?? []
        steps = try values.decodeIfPresent(Int.self, forKey: .steps) ?? 0
        bestStep = try values.decodeIfPresent(Int.self, forKey: .bestStep) ?? 0
        weights = try values.decodeIfPresent(Int.self, forKey: .weights) ?? 0
        coefficients = try values.decodeIfPresent([String: [Double]].self, forKey: .coefficients) ?? [:]
        outputs = try values.decodeIfPresent([SourceFile].self, forKey: .outputs) ?? []
        versions = try values.decodeIfPresent([String: String].self, forKey: .versions) ?? [:]
        programs = try values.decodeIfPresent([String: String].self, forKey: .programs) ?? [:]
        started = try values.decodeIfPresent(String.self, forKey: .started)
        seconds = try values.decodeIfPresent(Double.self, forKey: .seconds) ?? 0
        peakMemory = try values.decodeIfPresent(Int64.self, forKey: .peakMemory) ?? 0
        notes = try values.decodeIfPresent([String].self, forKey: .notes) ?? []
        strategy = try values.decodeIfPresent(StrategyChoice.self, forKey: .strategy)
        form = try values.decodeIfPresent(MergeForm.self, forKey: .form)
        tree = try values.decodeIfPresent([TreeNode].self, forKey: .tree) ?? []
        similarities = try values.decodeIfPresent([TaskSimilarity].self, forKey: .similarities) ?? []
        start = try values.decodeIfPresent(StartChoice.self, forKey: .start)
        passes = try values.decodeIfPresent([String: PassCount].self, forKey: .passes) ?? [:]
        flopsPerPass = try values.decodeIfPresent(Double.self, forKey: .flopsPerPass)
        merged = try values.decodeIfPresent(MergedShare.self, forKey: .merged)
        memory = try values.decodeIfPresent(MemoryUse.self, forKey: .memory)
        device = try values.decodeIfPresent(String.self, forKey: .device) ?? device
        dtype = try values.decodeIfPresent(String.self, forKey: .dtype) ?? dtype
    }
}
