import ArgumentParser
import Dispatch
import Examples
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
    @Flag(help: "Carry out one ExampleRequest in place of a plan, within limits, and say an ExampleReply.")
    var check = false

    func run() throws {
        guard !check else { return try encode() }
        guard !estimate else { return try Console.reportingFaults(say) }
        let stop = StopSignal()
        let lines = EventLines()
        do {
            let input = FileHandle.standardInput.readDataToEndOfFile()
            let plan = try JSON.decode(MergePlan.self, from: input)
            try Durable.createDirectories(plan.scratch)
            try EncodedFolder.restore(plan)
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

    /// Encodes a table of examples.
    private func encode() throws {
        ResourceLimits.applyForExamples()
        let request = try JSON.decode(
            ExampleRequest.self, from: FileHandle.standardInput.readDataToEndOfFile())
        Console.print(json: try JSON.encode(ExampleRun.reply(to: request)))
    }

    private func say() throws {
        let plan = try JSON.decode(MergePlan.self, from: FileHandle.standardInput.readDataToEndOfFile())
        Console.print(json: try JSON.encode(plan.estimate()))
    }
}
