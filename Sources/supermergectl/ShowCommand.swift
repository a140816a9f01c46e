import ArgumentParser
import WorkerProtocol

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "What went into a release, and how well it does.")

    @OptionGroup var connection: Connection

    @Argument(help: "Number of the release.")
    var release: Int

    func run() async throws {
        guard let record = try await connection.ask(ReleaseRecord.self, "GET", "/releases/\(release)") else { return }
        let source = record.rollbackOf.map { ", a rollback to release \($0)" } ?? ""
        Terminal.print("release \(record.version) of \(record.created)\(source)")
        Terminal.print(
            "merge \(record.merge): \(record.settings.method.rawValue), "
                + (record.result.strategy.map { "\($0.strategy.rawValue): \($0.reason)" }
                    ?? record.settings.strategy.rawValue))
        Terminal.print("base \(record.base.digest)")
        Terminal.print(
            "steps \(record.result.steps), best \(record.result.bestStep), \(Int(record.result.seconds.rounded())) s")
        let results = Dictionary(record.result.tasks.map { ($0.task, $0) }) { first, _ in first }
        Terminal.table(
            ["TASK", "METRIC", "BASE", "OWN", "BEFORE", "AFTER", "CHANGE", "EXAMPLES", "DIGEST"],
            record.tasks.map { task in
                let result = results[task.name]
                return [
                    task.name, result?.merged?.metric ?? "-", Terminal.number(result?.base?.value),
                    Terminal.number(result?.own?.value), Terminal.number(result?.deployed?.value),
                    Terminal.number(result?.merged?.value),
                    Terminal.change(result?.deployed?.value, result?.merged?.value),
                    result?.merged.map { "\($0.examples)" } ?? "-",
                    String(task.digest.prefix(12)),
                ]
            })
        if record.result.tasks.contains(where: { $0.merged?.metric == Score.agreement }) {
            Terminal.print("\(Score.agreement): no labels; \(Score.phrase(Score.agreement)) instead")
        }
        for note in record.result.notes { Terminal.print("note: \(note)") }
        let report = "versions/\(record.version)/report.html of the deploy directory"
        if record.result.outputs.contains(where: { $0.name == "report.html" }) {
            Terminal.print("the same in pictures: \(report)")
        }
    }
}
