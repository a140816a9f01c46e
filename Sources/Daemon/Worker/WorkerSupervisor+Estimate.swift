import Foundation
import Subprocess
import SystemPackage
package import WorkerProtocol

extension WorkerSupervisor {
    /// Bytes that the answer may have.
    private static let longestEstimate = 64 << 10

    package func estimate(_ plan: MergePlan) async -> Result<MergeEstimate?, EstimateFailure> {
        let work = Task { try await ask(plan) }
        let timer = Task {
            try await clock.sleep(for: estimatePatience)
            work.cancel()
        }
        defer { timer.cancel() }
        do {
            return try await .success(
                withTaskCancellationHandler {
                    try await work.value
                } onCancel: {
                    work.cancel()
                })
        } catch let failure as EstimateFailure {
            return .failure(failure)
        } catch {
            return .failure(EstimateFailure("\(executable) can't say what the merge takes: \(error)"))
        }
    }

    private func ask(_ plan: MergePlan) async throws -> MergeEstimate? {
        let answer = try await ChildProcess(
            executable: .path(FilePath(executable)), arguments: ["worker", "--estimate"],
            input: Array(try JSON.encode(plan))
        ).answer(limit: Self.longestEstimate)
        guard answer.status.isSuccess else {
            let lines = String(decoding: answer.errors, as: UTF8.self).split(separator: "\n")
            let words = lines.last.map(String.init) ?? "it said nothing"
            throw EstimateFailure(words.replacing("supermerge: ", with: "", maxReplacements: 1))
        }
        return try JSON.decode(MergeEstimate?.self, from: Data(answer.output))
    }
}
