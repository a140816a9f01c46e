import ArgumentParser
import Control

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "What the next merge would do, without doing it.",
        discussion: """
            The memory is the worker's estimate from the headers of the files and the graph, the time that of earlier merges \
            with the same base and settings, for each task.
            """)

    @OptionGroup var connection: Connection

    func run() async throws {
        guard let plan = try await connection.ask(PlanReply.self, "GET", "/plan") else { return }
        let onto = plan.deployed.map { "onto release \($0)" } ?? "for the first release"
        switch plan.state {
        case .nothing: Terminal.print("nothing to merge: \(plan.message)")
        case .due: Terminal.print("a merge is due \(onto): \(plan.message)")
        case .running: Terminal.print("a merge is under way \(onto): \(plan.message)")
        }
        if plan.isBaseChanged { Terminal.print("the base model is another one: every task is merged anew") }
        if plan.isConfigurationChanged { Terminal.print("the settings of the merge are others") }
        if plan.state != .nothing { describe(plan) }
        Terminal.table(
            ["TASK", "CHANGE", "DIGEST", "WHY"],
            plan.tasks.map {
                [$0.name, $0.change.rawValue, $0.digest.map { String($0.prefix(12)) } ?? "-", $0.message]
            })
    }

    private func describe(_ plan: PlanReply) {
        let settings = plan.settings
        var how = "method \(settings.method.rawValue)"
        if settings.method.isLearned {
            how += ", granularity \(settings.granularity.rawValue), at most \(settings.steps) steps"
        }
        Terminal.print(how)
        if let estimate = plan.estimate {
            Terminal.print("strategy \(estimate.strategy.strategy.rawValue): \(estimate.strategy.reason)")
            Terminal.print("memory about \(Terminal.bytes(estimate.memory)), of \(Terminal.bytes(settings.memory))")
            if let passes = estimate.passes {
                Terminal.print(
                    "passes of a batch: at most \(passes.backward) forward and backward, "
                        + "\(passes.forward - passes.backward) forward alone")
            }
            for (task, count) in (estimate.newTokens ?? [:]).sorted(by: { $0.key < $1.key }) {
                Terminal.print(
                    "\(task): the model writes at most \(count) tokens for an example, each by a pass over all before "
                        + "it (no key-value cache)")
            }
            if let bytes = estimate.readBytes {
                Terminal.print("the model is streamed: each pass reads about \(Terminal.bytes(bytes)) of files")
            }
        } else {
            Terminal.print("memory not known: \(plan.estimateProblem ?? "the worker did not say")")
        }
        if let seconds = plan.seconds {
            let from = plan.secondsFrom.map(String.init).joined(separator: ", ")
            Terminal.print("time about \(Terminal.duration(seconds)), by that of release \(from)")
        } else {
            Terminal.print("time not known: no release was made with this base and these settings")
        }
    }
}
