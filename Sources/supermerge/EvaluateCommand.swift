import ArgumentParser
import Foundation
import Merging
import Tasks
import WorkerProtocol

/// `supermerge evaluate`: one model on one task.
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Score a release, the base or a task checkpoint on a task.",
        discussion: "Examples without labels are scored by the agreement with the task's own checkpoint.")

    @Option(help: "Folder of the weights: a release, the base, or a task checkpoint.")
    var model: String
    @Option(help: "Folder of the task: its name, settings, head and validation set.")
    var task: String
    @Option(help: "Examples to score instead of the task's validation set (.safetensors, labels as there).")
    var data: String?
    @Option(
        help:
            "Folder of graph.pt2 (or of weights and config.json), where it is neither the model's nor the registry's base."
    )
    var base: String?
    @Option(help: "Where texts are compared: file to write each of them to, one JSON object a line.")
    var predictions: String?
    @Option(help: "Threads; 0: one for each core.")
    var threads = 0
    @Flag(help: "Print JSON.")
    var json = false

    private struct Line: Encodable {
        var task: String
        var examples: Int
        var loss: Double
        var metric: String
        var value: Double
    }

    func run() throws {
        try Console.reportingFaults {
            try Console.prepareRuntime(threads: threads)
            let (score, texts) = try EncodedFolder.temporary(judged)
            if let predictions { try write(texts, to: predictions, score) }
            let line = Line(
                task: Inputs.taskName(task), examples: score.examples, loss: score.loss, metric: score.metric,
                value: score.value)
            if json {
                Console.print(json: try JSON.encode(line))
            } else {
                let value = Console.fixed(score.value, 4)
                let loss = Console.fixed(score.loss, 4)
                Console.print("\(line.task): \(line.metric) \(value), loss \(loss), \(line.examples) examples")
            }
        }
    }

    private func judged(_ encoder: ExampleEncoder) throws -> (Score, [JudgedText]) {
        let (settings, examples) = try FolderAdmission.settings(
            of: task, name: Inputs.taskName(task), scoring: model, base: base, readsExamples: data == nil,
            encoder: encoder)
        return try Evaluation(
            model: model, task: task, settings: settings, examples: examples, data: data, base: base
        ).judged()
    }

    private func write(_ texts: [JudgedText], to path: String, _ score: Score) throws {
        guard !texts.isEmpty else {
            throw ValidationError(
                "--predictions is for metrics of texts (\(Metric.ofTexts.map(\.rawValue).joined(separator: ", "))), "
                    + "and the metric here is \(Score.phrase(score.metric)): set `metric` in task.yaml")
        }
        let lines = try texts.map { Array(try JSON.encode($0)) + [UInt8(ascii: "\n")] }
        try Data(lines.joined()).write(to: URL(filePath: path))
    }
}
