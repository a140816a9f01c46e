/// How to merge: the `merge:` section of the configuration and the flags of `supermerge merge`.
package struct MergeSettings: Codable, Hashable, Sendable {
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
    package var start: Start = .auto
    /// Calibration's λ, relative to the mean square of a layer's inputs; nil: chosen by the held-out loss.
    package var ridge: Double?
    /// Most gradient steps of a fit.
    package var steps: Int = 300
    /// Adam's step size.
    package var learningRate: Double = 0.03
    /// What becomes of it.
    package var schedule: Schedule = .cosine
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
    /// A key that another version of the program did not write has the default of version 1: what came of the merge
    /// before the key was there.
    package init(from decoder: any Decoder) throws {
        self = .defaults(ofVersion: 1)
        let values = try decoder.container(keyedBy: MergeSetting.Key.self)
        for setting in MergeSetting.all { try setting.decode(values, &self) }
    }
}

extension MergeSetting {
    /// Every setting, in the order of `config/supermerged.yaml`. A new one is a property above and an entry here; then
    /// `make configuration` writes the documented file and its page.
    package static let all: [MergeSetting] = [
        MergeSetting(
            "method", \.method, .choice,
            "How to merge.",
            """
            supermerge and adamerging learn from the validation sets by gradients, calibrate, regmean, regmean++ and \
            lot by forward passes alone and without labels; average, task-arithmetic, ties, dare, tsv-m, iso-c and \
            iso-cts learn nothing and need none.
            """,
            byDefault: "supermerge; where no task has examples iso-cts, with --adapter task-arithmetic"),
        MergeSetting(
            "strategy", \.strategy, .choice,
            """
            All weights in one fit (joint; incremental is that where nothing is deployed), a tree of small fits \
            (hierarchical), or by --memory (auto).
            """,
            """
            incremental fits all tasks at once from the deployed release's weights, joint from `scale`. hierarchical \
            fits a tree of similar tasks, at most `fan-in` to a node: an arrival fits only its way to the root, and \
            memory does not grow with the tasks; its intermediate models lie in `state`, about one float32 copy of the \
            model for each node. auto is incremental where that is estimated to stay under `memory`, else \
            hierarchical; the ledger and release.json say which and why.
            """),
        MergeSetting(
            "fan-in", \.fanIn, .integer(least: 2),
            "Maximum children of a node of the tree.",
            """
            Maximum children of a node of the tree. A fit has weights for its square at most, of tasks or intermediate \
            models. Unit: children.
            """),
        MergeSetting(
            "granularity", \.granularity, .choice,
            """
            One weight per tensor (the paper), per output row, per row and column, or per element; auto: per row and \
            column, or per tensor where examples are few.
            """,
            """
            One weight for each task and parameter tensor (the paper's form, with loss labels), for each of its output \
            rows, for each row and each column (an element counts by the product), or for each element (24 bytes of \
            memory for every element and task). auto: row-column, or tensor where half of the tasks have fewer than 32 \
            examples, which so many weights would only learn by heart; the fit then goes by the labels, too, where all \
            have them. Where nothing is written, adamerging takes tensor.
            """,
            byDefault: "auto; tensor for adamerging",
            usual: { $0.granularity = $0.method.usualGranularity }),
        MergeSetting(
            "squash", \.squash, .choice,
            """
            How supermerge's weights become coefficients: tanh (the paper), clamp to 0...1, or none. A column's gain \
            is 1 + tanh, clamped to 0...2, or free.
            """,
            """
            How supermerge's trained weights become coefficients: tanh (the paper's: -1 to 1), clamp (the weight \
            itself between 0 and 1), or none (the weight itself). A column's gain is 1 + tanh (0 to 2), clamped to 0 \
            to 2, or free.
            """),
        MergeSetting(
            "loss", \.loss, .choice,
            """
            Fit to the labels, to each task's own checkpoint, or to both; auto: the checkpoint, and for language \
            modelling the labels.
            """,
            """
            What the fit goes by: the labels, each task's own checkpoint (distillation), or both. auto: distillation, \
            and for language modelling the labels. With distillation validation sets need no `labels`: a task without \
            them is judged by its agreement with its own checkpoint (the share of held-out examples on which both \
            predict the same).
            """),
        MergeSetting(
            "mixup", \.mixup, .integer(least: 0),
            """
            With distillation and inputs that are numbers: how many mixtures of examples to fit to, for each example.
            """,
            """
            With loss distillation and inputs that are all numbers, such as pixels: how many mixtures of two examples \
            take the place of each in the fit. The labels of a mixture are not known, but its logits are, by the \
            task's own checkpoint. Unit: mixtures.
            """),
        MergeSetting(
            "start", \.start, .choice,
            """
            What supermerge starts from: the task vectors (the paper); these and what calibration by forward passes \
            changes, from 0 (correction) or from the whole of it (calibrated); auto: task vectors or correction, \
            whichever is better after a few steps.
            """,
            """
            What supermerge starts from. task-vectors: the task vectors at `scale`. correction: these, and what \
            calibration by forward passes, layer by layer, changes of them as one more direction from 0, with weights \
            of its own; the release has it as merge/correction.safetensors, as large as its layers in float32. \
            calibrated: the same from the calibrated merge. Calibration holds the layers to the merge at `scale` or \
            to that of iso-cts, whichever ends with the lower held-out loss; to the former alone where the \
            decompositions would take minutes. Where `ridge` is not set, correction has two directions, one held to \
            the merge at `scale` and one strongly to that of iso-cts; the release has what they come to. auto: \
            correction where it is better than task-vectors by more than a standard error over the tasks, by the \
            held-out loss after `evaluate-every`, twice or four times as many steps, else task-vectors. The \
            calibrated merge is taken where no step of the fit comes below its held-out loss; with auto a fit that is \
            still above it after these steps starts there, and one that goes on from a release does so at once. From a \
            deployed release all of whose tasks are still there as they were, a fit goes on with its correction. With \
            fewer than 32 examples a task auto does not calibrate: the direction is then what iso-cts changes, from \
            the whole of it. The ledger, the report and release.json say which and why. With auto, a tree, a merge \
            that is written as an adapter and one whose calibration does not fit into `memory` start from the task \
            vectors; correction and calibrated are refused there.
            """),
        MergeSetting(
            "ridge", \.ridge, .number("above 0; write for example 0.01", orEmpty: { $0 > 0 }),
            "Calibration's λ, relative to the mean square of a layer's inputs.",
            """
            λ of calibration, relative to the mean square of a layer's inputs: how strongly a layer's weights are held \
            to the merge that calibration starts from. Empty: 0.1 and 10 for the two directions of start correction, \
            0.01 for start calibrated and where there is one direction, and with method calibrate what has a lower \
            held-out loss of 0.0001 to 10, a factor of 10 apart, four at most.
            """,
            byDefault: "0.1 and 10, or 0.01; searched for calibrate"),
        MergeSetting(
            "steps", \.steps, .integer(least: 1),
            "Maximum steps of the fit.",
            """
            Maximum gradient steps of a fit. Where it is not written, adamerging and start task-vectors take 600. \
            Unit: steps.
            """,
            byDefault: "300; 600 for adamerging and start task-vectors",
            alone: .integer(least: 0),
            usual: { $0.steps = $0.method.usualSteps($0.start) }),
        MergeSetting(
            "learning-rate", \.learningRate, .positive,
            "Step size of Adam.",
            """
            Adam's step size. Where it is not written, granularity tensor takes 0.01, and adamerging 0.001.
            """,
            byDefault: "0.03; 0.01 for tensor; 0.001 for adamerging",
            usual: { $0.learningRate = $0.method.usualLearningRate($0.granularity) }),
        MergeSetting(
            "schedule", \.schedule, .choice,
            "Whether the step size stays, or falls to 0 over --steps, evenly or along a cosine.",
            """
            Whether the step size stays, or falls to 0 over `steps`: evenly (falling), or along half a cosine, which \
            stays large for longer (cosine). A fit that falls settles sooner and bears a larger one. Where it is not \
            written, adamerging and start task-vectors take constant.
            """,
            byDefault: "cosine; constant for adamerging and start task-vectors",
            usual: { $0.schedule = $0.method.usualSchedule($0.start) }),
        MergeSetting(
            "arrival-share", \.arrivalShare, .number("above 0 and at most 1") { $0 > 0 && $0 <= 1 },
            "Share of --steps that is taken from a --previous merge in the same form; 1: a fit like any other.",
            """
            Share of `steps` that an arrival takes: a fit from the weights of the deployed release, where that was \
            made in the same form and has at least half of the tasks; at least 24. In a tree, too, of the nodes that \
            were there. 1: as many as any fit.
            """),
        MergeSetting(
            "arrival-learning-rate", \.arrivalLearningRate, .positive,
            "Step size of Adam at the start of such a fit; it falls to 0.",
            """
            Adam's step size at the start of an arrival's fit; it falls evenly to 0.
            """),
        MergeSetting(
            "batch", \.batch, .integer(least: 1),
            "Examples of each task in a step.",
            """
            Examples of each task in one step. Unit: examples.
            """),
        MergeSetting(
            "evaluate-every", \.evaluateEvery, .integer(least: 1),
            "Steps between two evaluations on the held-out examples.",
            """
            Steps between two evaluations on the held-out examples. Unit: steps.
            """),
        MergeSetting(
            "patience", \.patience, .integer(least: 1),
            "Early stopping: evaluations without a lower held-out loss.",
            """
            Early stopping: evaluations without a lower held-out loss before the fit stops. Unit: evaluations.
            """),
        MergeSetting(
            "scale", \.scale, .number("") { _ in true },
            """
            Coefficient that every weight starts from, and λ of the methods that learn nothing, or 'search' to find λ \
            on the validation sets.
            """,
            """
            Coefficient that every weight starts from, between -1 and 1 (with squash clamp 0 and 1, with none any); \
            for the methods that learn nothing and for lot the factor of what they make of the task vectors, or search \
            to find it on the validation sets (lot: by the held-out loss). Where it is not written, ties and tsv-m \
            take 1, iso-c 1.3 and iso-cts 1.5, and lot searches, with 1.3 where nothing is held out.
            """,
            byDefault: "0.3; 1 for ties and tsv-m, 1.3 for iso-c, 1.5 for iso-cts; search for lot",
            usual: {
                $0.scale = $0.method.usualScale
                if $0.method.searchesScale { $0.searchesScale = true }
            }
        ).orSearch,
        MergeSetting(
            "density", \.density, .number("above 0 and at most 1", orEmpty: { $0 > 0 && $0 <= 1 }),
            "Share of each task vector that ties and dare keep.",
            """
            Share of each task vector's elements that ties and dare keep: the largest, or drawn at random. Empty: 0.2 \
            for ties, 0.5 for dare.
            """,
            byDefault: "0.2 for ties, 0.5 for dare"),
        MergeSetting(
            "holdout", \.holdout, .number("above 0 and below 1") { $0 > 0 && $0 < 1 },
            "Share of each validation set that is held out of the fit.",
            """
            Share of each validation set that the fit does not see; it chooses the step and feeds the gate. Between 0 \
            and 1.
            """,
            alone: .number("of at least 0 and below 1") { (0..<1).contains($0) }),
        MergeSetting(
            "seed", \.seed, .integer(least: 0),
            "Seed of the split and of the batches.",
            """
            Seed of the batches' order. Same inputs, seed, build and thread count: the same bytes.
            """),
        MergeSetting(
            "threads", \.threads, .integer(least: 0),
            "Threads; 0: one for each core.",
            """
            Threads of the numerical library; 0: as many as the machine has cores. Unit: threads.
            """,
            inDigests: 0),
        MergeSetting(
            "device", \.device, .choice,
            "Where to compute.",
            """
            Where the tensors are computed with.
            """,
            inDigests: .cpu),
        MergeSetting(
            "precision", \.precision, .choice,
            "Precision of the matrix products.",
            """
            Number format of forward and backward.
            """),
        MergeSetting(
            "memory", \.memory, .size,
            "Memory above which auto takes the tree, like 8GiB or 500MB; a number without a unit is bytes.",
            """
            Memory that a merge should stay under: `strategy: auto` goes by it, and a model that does not fit is \
            streamed; one of which not even a segment fits is refused. Unit: bytes, or with a unit.
            """,
            inDigests: 0),
        MergeSetting(
            "adapter", \.writesAdapter, .flag,
            "Write the result as one adapter, too, into adapter/: where every task is a LoRA, or every one (IA)³.",
            """
            Whether a release is written as one adapter, too: `adapter/` in it, which PEFT loads onto the base. A task \
            that is no LoRA where the others are, or no (IA)³, is refused then; where such a task is deployed, nothing \
            is merged until this is changed. Not with ties, dare, or granularity element; (IA)³ with static methods, \
            or granularity tensor where no bias is scaled.
            """,
            property: "writesAdapter"),
        MergeSetting(
            "max-shard-size", \.maxShardSize, .size,
            "Maximum size of a file of weights, like 5GB or 2GiB; a larger model is written in shards with an index.",
            """
            Most that a file of a release's weights may hold, its header included: a larger model is written in shards \
            with an index, as transformers does. A tensor that is larger alone has a shard to itself. Unit: bytes, or \
            with a unit.
            """),
    ]
}
