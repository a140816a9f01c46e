import ArgumentParser
import Examples
import Files
import Tasks
import WorkerProtocol

/// `supermerge encode`: a task's table of texts as tensors.
struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encode a task's table of texts or images as tensors, as a merge does.",
        discussion: """
            A registry and the other commands take the table itself; this is for looking at what becomes of it, or for \
            tensors elsewhere. The base's tokenizer.json is used, as transformers uses it. Columns are found by the \
            usual names: text (or sentence, premise, question, prompt), text_pair (or hypothesis, context), label, \
            completion (or target, answer, summary), or named under columns in task.yaml. For a model of images the \
            column file (or image, file_name) names PNG and JPEG files in the folder's validation/ or images/, which \
            become what the base's preprocessor_config.json says. Labels are class numbers or names of id2label in the \
            task's config.json, else the base's. Three examples are shown, as tokens or by their files.
            """)

    @Argument(help: "The task's folder.")
    var task: String
    @Option(help: "Folder of the base.")
    var base: String
    @Option(help: "Safetensors file to write; without it nothing is kept.")
    var output: String?

    func run() throws {
        try Console.reportingFaults {
            try EncodedFolder.temporary { encoder in
                let admission = try FolderAdmission(
                    base: base, tasks: [task], FolderAdmission.Demands(scoring: true), reading: .sample,
                    encoder: encoder)
                let (settings, found) = try admission.examples(task)
                guard let found else {
                    throw ExamplesError.set(
                        "\(task) has no table of examples: expected \(ExampleFiles.tables.joined(separator: " or "))")
                }
                let source = TaskSource(
                    name: Inputs.taskName(task), directory: task, files: [], digest: "", settings: settings,
                    examples: found)
                if let output { try copy(found, to: output) }
                for example in EncodedFolder.preview(source, base: base) { Console.print(example.text) }
            }
        }
    }

    private func copy(_ examples: EncodedExamples, to path: String) throws {
        let bytes = try ReadableFile(path: examples.file).contents(limit: ExampleLimits.outputBytes)
        try Durable.replace(path, with: bytes)
        Console.say("\(examples.source) is encoded in \(path)")
    }
}
