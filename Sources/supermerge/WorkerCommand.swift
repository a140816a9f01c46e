import ArgumentParser
import Dispatch
import Files
import Foundation
import Merging
import WorkerProtocol

/// `supermerge worker`: what the daemon starts. One `MergePlan` on standard input, `WorkerEvent` lines on standard
/// output.
struct Worker: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Carry out one plan of the daemon.", shouldDisplay: false)

    @Flag(help: "Say what the plan will take, as one MergeEstimate or null, and do nothing.")
    var estimate = false

    func run() throws {
        guard !estimate else { return try Console.reportingFaults(say) }
        let stop = StopSignal()
        let lines = EventLines()
        do {
            let input = FileHandle.standardInput.readDataToEndOfFile()
            let plan = try JSON.decode(MergePlan.self, from: input)
            try Durable.createDirectories(plan.scratch)
            do {
                try Console.prepareRuntime(threads: plan.settings.threads, runsGraph: plan.runsGraph)
            } catch  where plan.settings.canMergeUnscored {
                // Merged all the same; a note says why nothing was scored.
            }
            lines.say(.finished(try MergeRun(plan, report: lines.say, shouldStop: { stop.isRequested }).run()))
        } catch is MergeRun.Stopped {
            throw ExitCode(130)
        } catch {
            lines.say(.failed(Console.failure(error)))
            throw ExitCode.failure
        }
    }

    private func say() throws {
        let plan = try JSON.decode(MergePlan.self, from: FileHandle.standardInput.readDataToEndOfFile())
        Console.print(json: try JSON.encode(plan.estimate()))
    }
}
