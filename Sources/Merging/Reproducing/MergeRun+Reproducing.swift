internal import Files
internal import Foundation
internal import Torch
package import WorkerProtocol

extension MergeRun {
    /// Writes what the plan's tasks give with the coefficients of a release: nothing is fitted and nothing scored. Its
    /// model, heads and coefficients come out in the plan's output directory.
    ///
    /// Throws `MergeError` where the coefficients are not those of these tasks and layers, and what `run` throws.
    /// Memory: a few pieces of tensors.
    package func reproduce(release directory: String) throws -> [SourceFile] {
        try TorchRuntime.setThreads(plan.settings.threads)
        var context = try MergeContext.recorded(plan, release: directory)
        if plan.settings.method.isLearned { try context.vectors.findZeros { _ in } }
        context.vectors.rule = try rule(of: context)
        let corrected = directory + "/" + Correction.path
        let hasCorrection = try FileStatus.ifPresent(corrected) != nil
        if hasCorrection { context = try context.adding(Correction(path: corrected)) }
        let weights = try Coefficients.read(
            context.layers, of: context.base, tasks: context.tasks.count, hasCorrection: hasCorrection,
            release: directory)
        let adapter = context.settings.writesAdapter ? try MergedAdapter(context) : nil
        let outputs = try CandidateWriter(context: context, directory: plan.output, adapter: adapter).write(weights) {
            _, _ in
        }
        try plan.checkStamps()
        return outputs
    }
}
