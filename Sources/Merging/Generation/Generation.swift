internal import Files
internal import Tasks
internal import Tokenizers
internal import WorkerProtocol

/// How the texts of one task are written and read: the base's tokenizer, its settings, and the length that the task
/// asks for.
struct Generation: Sendable {
    let tokenizer: Tokenizer
    let settings: GenerationSettings
    /// Most tokens that are written for an example.
    let maximum: Int

    private static let tokenizerLimit = 128 << 20

    /// What one example gives the decoder.
    struct Prompt: Hashable, Sendable {
        /// Tokens before the answer: of a model with a decoder what that starts from.
        var tokens: [Int64]
        /// Tokens of the reference, which a good model writes, too.
        var reference: [Int64]
    }

    init(tokenizer: Tokenizer, settings: GenerationSettings, maximum: Int) {
        self.tokenizer = tokenizer
        self.settings = settings
        self.maximum = maximum
    }

    /// Nil where the task is not judged by texts that the model writes. `directory`: the base's files.
    init?(_ task: String, _ settings: TaskSettings, base directory: String) throws {
        guard let maximum = Self.maximum(settings) else { return nil }
        let metric = settings.metric ?? Metric(of: settings.objective)
        let path = "\(directory)/\(BaseFiles.tokenizer)"
        guard try FileStatus.ifPresent(path, followingLinks: true) != nil else {
            throw AdmissionFault.missingTokenizer(metric).failure(of: task)
        }
        let bytes = try ReadableFile(path: path, followingLinks: true).contents(limit: Self.tokenizerLimit)
        do {
            tokenizer = try Tokenizer(json: bytes)
        } catch {
            throw MergeError.task(
                task, "metric \(metric.rawValue) reads texts, and the base's \(error); choose another metric")
        }
        self.settings = try GenerationSettings(base: directory)
        self.maximum = maximum
    }

    /// The most tokens that are written for an example; nil where the task is not judged by texts that the model
    /// writes.
    private static func maximum(_ settings: TaskSettings) -> Int? {
        let metric = settings.metric ?? Metric(of: settings.objective)
        guard metric.isOfTexts, settings.objective.predictsTokens else { return nil }
        return settings.maximumNewTokens ?? TaskSettings.defaultNewTokens
    }

    /// The most tokens of each task that is judged by texts.
    static func newTokens(of tasks: [TaskSource]) -> [String: Int] {
        let most = tasks.compactMap { task in maximum(task.settings).map { (task.name, $0) } }
        return Dictionary(most) { first, _ in first }
    }

    /// The text of tokens, without special ones.
    func text(_ tokens: [Int64]) -> String { tokenizer.decode(tokens.map(Int.init)) }

    /// Tokens that end an answer: the base's, and the special one that ends the reference, which a fine-tune may have
    /// learned in its place.
    func ends(of prompt: Prompt) -> Set<Int64> {
        let last = prompt.reference.last { tokenizer.isSpecial(Int($0)) }
        return settings.ends.union([last].compactMap(\.self))
    }
}

extension Generation.Prompt {
    /// Of a causal model: the last run of tokens that are scored is the reference, and what is before it, padding left
    /// out, the prompt. Nil where there is no prompt.
    init?(tokens: [Int64], labels: [Int64], isShown: [Bool]) {
        let ignored = Int64(LabelFault.ignored)
        guard let last = labels.lastIndex(where: { $0 != ignored }) else { return nil }
        let first = labels[...last].lastIndex(of: ignored).map { $0 + 1 } ?? 0
        let prompt = (0..<first).filter { isShown[$0] }.map { tokens[$0] }
        guard !prompt.isEmpty else { return nil }
        self.init(tokens: prompt, reference: Array(labels[first...last]))
    }
}
