import ArgumentParser
import Releases
import WorkerProtocol

struct DiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "What differs between two releases.")

    @OptionGroup var connection: Connection

    @Argument(help: "Number of the older release.")
    var before: Int

    @Argument(help: "Number of the newer release.")
    var after: Int

    @Option(help: "Coefficients to name, those that moved most.")
    var coefficients = 20

    func validate() throws {
        guard coefficients >= 0 else { throw ValidationError("--coefficients is a number of them, at least 0") }
    }

    func run() async throws {
        let old = try connection.decode(ReleaseRecord.self, try await connection.send("GET", "/releases/\(before)"))
        let new = try connection.decode(ReleaseRecord.self, try await connection.send("GET", "/releases/\(after)"))
        let diff = ReleaseDiff(from: old, to: new, most: coefficients)
        if connection.json {
            Terminal.print(String(decoding: try JSON.encode(diff), as: UTF8.self))
        } else {
            show(diff)
        }
    }

    private func show(_ diff: ReleaseDiff) {
        Terminal.print("release \(diff.before) → release \(diff.after)")
        if diff.isBaseChanged { Terminal.print("another base model") }
        if !diff.settings.isEmpty { Terminal.print("other settings: \(diff.settings.joined(separator: ", "))") }
        Terminal.table(
            ["TASK", "", "METRIC", "BEFORE", "AFTER", "CHANGE"],
            diff.tasks.map {
                [
                    $0.task, $0.change.rawValue, $0.metric ?? "-", Terminal.number($0.before),
                    Terminal.number($0.after), Terminal.change($0.before, $0.after),
                ]
            })
        Terminal.table(
            ["LAYER", "TASK", "BEFORE", "AFTER", "MOVED"],
            diff.coefficients.map {
                [
                    $0.layer, $0.task, Terminal.number($0.before), Terminal.number($0.after),
                    Terminal.change($0.before, $0.after),
                ]
            })
        Terminal.table(
            ["FILE", "", "BEFORE", "AFTER"],
            diff.files.map {
                [
                    $0.name, $0.change.rawValue, $0.bytesBefore.map(Terminal.bytes) ?? "-",
                    $0.bytesAfter.map(Terminal.bytes) ?? "-",
                ]
            })
        if diff.files.isEmpty { Terminal.print("the files are the same") }
    }
}
