internal import Foundation
internal import Safetensors
internal import Torch
package import WorkerProtocol

/// One merge from a plan to a complete candidate in its output directory, in stages: open, resolve, measure, start,
/// fit, write, score, describe. What they hand on is a `MergeInProgress`.
package final class MergeRun {
    /// As it was given; after `run` with the digests of the files that had none.
    package private(set) var plan: MergePlan
    let report: (WorkerEvent) -> Void
    let shouldStop: () -> Bool
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant
    private var pace: ProgressEstimator

    /// `report` hears how it goes; `shouldStop` is asked between steps, and a fit that stops saves its state first.
    package init(
        _ plan: MergePlan, report: @escaping (WorkerEvent) -> Void, shouldStop: @escaping () -> Bool = { false }
    ) {
        self.plan = plan
        self.report = report
        self.shouldStop = shouldStop
        began = clock.now
        pace = ProgressEstimator(start: began)
    }

    /// Thrown when `shouldStop` said so; the state of the fit is saved.
    package struct Stopped: Error {}

    /// Merges and scores. Throws `MergeError`, `Stopped`, or what the file system said.
    package func run() throws -> MergeResult {
        var merge = try open()
        try measure(&merge)
        try start(&merge)
        try fit(&merge)
        try write(&merge)
        try score(&merge)
        try close(&merge)
        describe(&merge)
        return merge.result
    }

    /// Checks the settings, opens every file and resolves what the settings leave open (`MergeContext`).
    private func open() throws -> MergeInProgress {
        if let fault = plan.settings.deviceFault { throw MergeError.base(fault) }
        if let needed = plan.settings.scaleFault {
            throw MergeError.base(
                "scale \(plan.settings.scale) can't be a start of \(plan.settings.method.rawValue); set one \(needed)")
        }
        try TorchRuntime.setThreads(plan.settings.threads)
        let context = try MergeContext(plan)
        // The limit of a streamed model counts what the process holds.
        if context.evaluation?.engine.isStreamed == true {
            TorchRuntime.returnFreedMemory()
        } else {
            TorchRuntime.keepFreedMemory()
        }
        return try MergeInProgress(context)
    }

    /// Reads the task vectors as far as the method has to know them, and scores what there is before the merge.
    private func measure(_ merge: inout MergeInProgress) throws {
        let context = merge.context
        let settings = context.settings
        merge.similarities = plan.knownSimilarities()
        if settings.method.isLearned {
            let layers = context.layers.count
            try context.vectors.findZeros { [unowned self] done in try progress(.reading, done, layers) }
            if settings.strategy != .hierarchical {
                merge.similarities.add(
                    try context.missingSimilarities(merge.similarities) { [unowned self] done in
                        try progress(.reading, done, layers)
                    })
            }
        }
        context.vectors.rule = try rule(of: context)
        guard let evaluation = context.evaluation else { return }
        let evaluator = ModelEvaluator(context, evaluation, try ModelParameters(context))
        try evaluator.scoreOriginals(&merge.result) { [unowned self] done, total in
            try progress(.scoring, done, total)
        }
        merge.evaluator = evaluator
    }

    /// What the method does with the task vectors beside scaling them.
    func rule(of context: MergeContext) throws -> any MergeRule {
        try MergeMethods.implementation(of: context.settings.method)
            .rule(for: context.vectors, context.settings) { [unowned self] done, total in
                try progress(.reading, done, total)
            }
    }

    /// Decides where the weights start: at the method's own coefficients, or from the deployed release.
    private func start(_ merge: inout MergeInProgress) throws {
        guard let warm = try warmStart(merge.weights, merge.context) else { return }
        (merge.first, merge.schedule) = (warm.weights, warm.schedule)
    }

    /// Trains the weights, all at once or as a tree, or searches λ, or takes them as they are.
    private func fit(_ merge: inout MergeInProgress) throws {
        merge.evaluator?.evaluation.passes.phase = .fitting
        guard let evaluator = merge.evaluator else {
            reportStart(merge)
            if searchesScale {
                merge.result.notes.append(
                    "scale is \(plan.settings.scale): to search it takes a graph and examples")
            }
            return
        }
        if merge.context.choice?.strategy == .hierarchical {
            try fitTree(&merge, evaluator)
        } else if let method = MergeMethods.implementation(of: merge.context.settings.method)
            as? any LayerwiseMethod.Type
        {
            try calibrate(&merge, evaluator, method)
        } else if merge.context.settings.method.isLearned {
            try fitJointly(&merge, evaluator)
        } else {
            reportStart(merge)
            guard searchesScale else { return }
            let scale = try evaluator.searchedScale { [unowned self] done, total in
                try progress(.fitting, done, total)
            }
            merge.result.notes.append("scale \(scale) was the best on the validation sets")
            merge.weights = MergingWeights(
                method: plan.settings.method, taskCount: merge.context.tasks.count, layers: merge.context.layers,
                scale: scale)
        }
    }

    var searchesScale: Bool {
        plan.settings.searchesScale && !MergeMethods.implementation(of: plan.settings.method).scales.isEmpty
    }

    /// Writes the candidate's files.
    private func write(_ merge: inout MergeInProgress) throws {
        merge.evaluator?.evaluation.passes.phase = .scoring
        merge.result.outputs = try CandidateWriter(
            context: merge.context, directory: plan.output, adapter: merge.adapter
        ).write(merge.weights) { done, total in try progress(.writing, done, total) }
    }

    /// Scores the candidate as it was written.
    private func score(_ merge: inout MergeInProgress) throws {
        try merge.evaluator?.judgeCandidate(&merge.result, directory: plan.output)
    }

    /// Makes sure that every file is still the one that was opened, and records the tree.
    private func close(_ merge: inout MergeInProgress) throws {
        if plan.hasUnhashedFiles { plan.fillIn(sha256: try merge.opened.vectors.sha256()) }
        try plan.checkStamps()
        guard let tree = merge.tree else { return }
        try tree.finish()
        merge.similarities.add(tree.measured)
    }

    private func describe(_ merge: inout MergeInProgress) {
        merge.describe(asked: plan.settings)
        merge.result.started = Date(timeIntervalSinceNow: (began - clock.now) / .seconds(1)).formatted(.iso8601)
        merge.result.seconds = (clock.now - began) / .seconds(1)
    }

    func reportStart(_ merge: MergeInProgress, resumedAt step: Int = 0) {
        report(
            .started(
                .init(tasks: merge.context.tasks.map(\.name), resumedAt: step, strategy: merge.context.choice)))
    }

    func stopIfAsked(_ fit: CoefficientFit, _ merge: String) throws {
        guard shouldStop() else { return }
        try fit.state.save(in: plan.scratch, merge: merge)
        throw Stopped()
    }

    func progress(_ phase: WorkerEvent.Progress.Phase, _ done: Int, _ total: Int) throws {
        if shouldStop() { throw Stopped() }
        report(.progress(.init(phase: phase, done: done, total: total, secondsLeft: pace.secondsLeft)))
    }

    /// Notes a step of the fit, `left` of which may follow; the seconds that these will take.
    func secondsLeft(afterStepWith left: Int) -> Double? {
        pace.step(clock.now, left: left)
        return pace.secondsLeft
    }
}
