import ArgumentParser
import Examples
import Files
import ModelFamilies
import Tasks

/// `supermerge encode`: a task's table of texts becomes its validation.safetensors.
struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encode a task's validation.jsonl or validation.csv as validation.safetensors.",
        discussion: """
            The base's tokenizer.json is used, as transformers uses it. Columns are found by the usual names: text (or \
            sentence, premise, question, prompt), text_pair (or hypothesis, context), label, completion (or target, \
            answer, summary). Labels are class numbers or names of id2label in the task's config.json, else the base's. \
            Three examples are shown as tokens.
            """)

    @Argument(help: "The task's folder.")
    var task: String
    @Option(help: "Folder of the base.")
    var base: String
    @Option(help: "File to write (default: validation.safetensors in the task's folder).")
    var output: String?

    func run() throws {
        try Console.reportingFaults {
            let table = try readTable()
            let configuration = try Self.configuration(base) ?? [:]
            let folder = try ExampleFolder(directory: base, configuration: configuration)
            let graph = try BaseGraph.open(directory: base)
            let encoder = TextEncoder(
                tokenizer: folder.tokenizer, maximum: folder.maximum, padding: folder.padding, end: folder.end,
                inputs: Set(graph.signature.inputs.map(\.name)))
            let classes = ClassNames(configuration: try Self.configuration(task) ?? configuration)
            let settings = try TaskSettingsFile.read(directory: task)
            let encoded = try encoder.encode(table, settings.objective, classes)
            let path = output ?? task + "/validation.safetensors"
            try encoded.write(to: path)
            report(encoded, table, folder, path)
        }
    }

    private func readTable() throws -> ExampleTable {
        for name in ExampleTable.names where try FileStatus.ifPresent("\(task)/\(name)", followingLinks: true) != nil {
            let bytes = try ReadableFile(path: "\(task)/\(name)", followingLinks: true).contents(
                limit: ExampleTable.limit)
            return try ExampleTable(file: name, bytes: bytes)
        }
        throw ExamplesError.set("\(task) has no examples: expected \(ExampleTable.names.joined(separator: " or "))")
    }

    /// Nil where the folder has no config.json.
    private static func configuration(_ directory: String) throws -> [String: JSONValue]? {
        let path = directory + "/config.json"
        guard try FileStatus.ifPresent(path, followingLinks: true) != nil else { return nil }
        do {
            return try JSONValue.members(
                parsing: try ReadableFile(path: path, followingLinks: true).contents(limit: 1 << 20), .python)
        } catch let fault as JSONCursor.Fault {
            throw ExamplesError.set("\(path): \(fault.reason)")
        }
    }

    /// A person sees a wrong column, label or template at a glance.
    private func report(_ encoded: TextEncoder.Encoded, _ table: ExampleTable, _ folder: ExampleFolder, _ path: String)
    {
        let rows = encoded.inputs["input_ids"] ?? []
        Console.say("\(rows.count) examples of at most \(rows.first?.count ?? 0) tokens written to \(path)")
        if encoded.truncated > 0 {
            Console.say("\(encoded.truncated) examples are cut at \(folder.maximum) tokens")
        }
        for index in rows.indices.prefix(3) {
            let tokens = rows[index].filter { Int($0) != folder.padding }.map { folder.tokenizer.token(Int($0)) ?? "?" }
            Console.say(
                "\(table.file):\(table.rows[index].line): \(tokens.joined(separator: " ")) → \(label(encoded, index))")
        }
    }

    private func label(_ encoded: TextEncoder.Encoded, _ index: Int) -> String {
        switch encoded.labels {
        case .none: "no label"
        case .classes(let classes): "class \(classes[index])"
        case .numbers(let numbers): "\(numbers[index])"
        case .tokens(let rows): "\(rows[index].count { $0 != -100 }) tokens scored"
        }
    }
}
