internal import Files
internal import Foundation
internal import Safetensors
internal import Torch
internal import WorkerProtocol

extension FitState {
    private static let fileName = "fit.safetensors"

    private struct Summary: Codable {
        var merge: String
        var step: Int
        var bestStep: Int
        var bestLoss: Double
        var looksWithoutBetter: Int
        var curve: [FitPoint]
        /// Nil in older files: 1.
        var rate: Double?
    }

    /// Replaces the saved state in `scratch`, durably: double-precision vectors and a summary in the metadata.
    func save(in scratch: String, merge: String) throws {
        let summary = Summary(
            merge: merge, step: step, bestStep: bestStep, bestLoss: bestLoss, looksWithoutBetter: looksWithoutBetter,
            curve: curve, rate: rate)
        let vectors = [
            "weights": weights.values, "best": best, "first_moments": optimizer.firstMoments,
            "second_moments": optimizer.secondMoments,
        ].sorted { $0.key < $1.key }
        let slots = vectors.map { SafetensorsWriter.Slot(name: $0.key, dtype: .f64, shape: [$0.value.count]) }
        let temporary = scratch + "/" + Self.fileName + ".tmp"
        try Durable.remove(temporary)
        let text = String(decoding: try JSON.encode(summary), as: UTF8.self)
        let writer = try SafetensorsWriter(path: temporary, slots: slots, metadata: ["format": "pt", "fit": text])
        for (_, values) in vectors { try unsafe values.withUnsafeBytes { try unsafe writer.append($0) } }
        _ = try writer.finish(sync: true)
        try Durable.rename(temporary, to: scratch + "/" + Self.fileName)
        try Durable.syncDirectory(scratch)
    }

    /// The saved state of the same merge, or nil where there is none that fits these weights.
    static func load(from scratch: String, merge: String, like weights: MergingWeights) -> FitState? {
        guard let file = try? SafetensorsFile(file: ReadableFile(path: scratch + "/" + fileName)),
            let text = file.metadata["fit"],
            let summary = try? JSON.decode(Summary.self, from: Data(text.utf8)), summary.merge == merge
        else { return nil }
        func vector(_ name: String) -> [Double]? {
            guard let entry = file.entry(name), let values = try? file.tensor(entry).doubles() else { return nil }
            return values.count == weights.values.count ? values : nil
        }
        guard let values = vector("weights"), let best = vector("best"), let first = vector("first_moments"),
            let second = vector("second_moments")
        else { return nil }
        var state = FitState(weights)
        state.weights.values = values
        state.best = best
        state.optimizer.firstMoments = first
        state.optimizer.secondMoments = second
        state.optimizer.step = summary.step
        state.bestStep = summary.bestStep
        state.bestLoss = summary.bestLoss
        state.looksWithoutBetter = summary.looksWithoutBetter
        state.curve = summary.curve
        state.rate = summary.rate ?? 1
        return state
    }
}
