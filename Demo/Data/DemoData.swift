import ArgumentParser
import Foundation

/// Makes the demo's labelled sets from Fashion-MNIST: one for the base, and training, validation and test sets of every
/// task. No image is in two sets.
@main
struct DemoData: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-data", abstract: "Make the demo's labelled sets from the unpacked files of Fashion-MNIST.")

    /// Examples of each set.
    static let (baseCount, trainCount, validationCount, testCount) = (20_000, 8_000, 256, 1_000)

    @Argument(help: "Folder of the unpacked idx files.")
    var source: String
    @Argument(help: "Folder to write to: base.safetensors and <task>/{train,validation,test,slipped}.safetensors.")
    var output: String

    func run() throws {
        do {
            try makeSets()
        } catch let error as DemoDataError {
            FileHandle.standardError.write(Data("demo-data: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }

    private func makeSets() throws {
        var training = try Garments(folder: source, prefix: "train")
        var testing = try Garments(folder: source, prefix: "t10k")
        var generator = SplitMix64(state: 1)
        let base = try training.take(Self.baseCount).map { DemoTask.baseExample($0, &generator) }
        try LabelledSet(base).write(to: output + "/base.safetensors")
        for task in DemoTask.allCases {
            func write(_ name: String, _ garments: [Garment], isSlipped: Bool = false) throws {
                var set = LabelledSet(garments.map { task.example($0, &generator) })
                if isSlipped { set.slipLabels() }
                try set.write(to: "\(output)/\(task.rawValue)/\(name).safetensors")
            }
            try FileManager.default.createDirectory(
                atPath: "\(output)/\(task.rawValue)", withIntermediateDirectories: true)
            let train = try training.take(Self.trainCount)
            try write("train", train)
            try write("slipped", train, isSlipped: true)
            try write("validation", training.take(Self.validationCount))
            try write("test", testing.take(Self.testCount))
        }
    }
}
