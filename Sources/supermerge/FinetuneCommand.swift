import ArgumentParser
import Merging

/// `supermerge finetune`: trains a task checkpoint, or a base from nothing.
struct FinetuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finetune",
        abstract: "Fine-tune all parameters of a graph on labelled examples.",
        discussion: "Parameters that no weights are given for start from random numbers.")

    @Option(
        help:
            "Folder with graph.pt2 (or config.json alone) and, except when training from nothing, the weights to start from."
    )
    var base: String
    @Option(help: "Examples: one tensor per graph input, and labels (.safetensors).")
    var data: String
    @Option(help: "Folder to write model.safetensors to.")
    var output: String
    @Option(help: "Gradient steps.")
    var steps = 300
    @Option(help: "Examples in a step.")
    var batch = 64
    @Option(help: "Step size at the start; it falls linearly to 0.")
    var learningRate = 1e-3
    @Option(help: "Step size of parameters that the base does not have, a new head; default: the same.")
    var headLearningRate: Double?
    @Option(help: "Classes of a new head; default: one more than the largest label.")
    var classes: Int?
    @Option(help: "Seed of first values and batches.")
    var seed: UInt64 = 0
    @Option(help: "Threads; 0: one for each core.")
    var threads = 0
    @Option(help: "Prefix of parameters to leave out of what is written; may be repeated.")
    var without: [String] = []

    func validate() throws {
        guard steps > 0, batch > 0, learningRate > 0, headLearningRate ?? 1 > 0, threads >= 0 else {
            throw ValidationError("steps, batch and learning rates must be positive")
        }
        guard classes ?? 1 > 0 else { throw ValidationError("classes must be positive") }
    }

    func run() throws {
        try Console.reportingFaults {
            try Console.prepareRuntime(threads: threads)
            var settings = Finetune.Settings()
            settings.steps = steps
            settings.batch = batch
            settings.learningRate = learningRate
            settings.headLearningRate = headLearningRate
            settings.classes = classes
            settings.seed = seed
            let progress = ProgressLine()
            let finetune = Finetune(base: base, data: data, output: output, settings: settings, without: without)
            let loss = try finetune.run { progress.show(.progress($0)) }
            Console.say("wrote \(output)/model.safetensors, last loss \(Console.fixed(loss, 4))")
        }
    }
}
