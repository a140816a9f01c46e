/// One kind of input: how it is dropped, and what must become of it.
struct InputCase: Sendable {
    /// What it is dropped beside.
    enum Base: Hashable, Sendable {
        /// A tiny ViT with a graph; the task is a full fine-tune with examples.
        case vision
        /// The modules that PEFT adapts, each once, without a graph; weights [out, in].
        case modules
        /// The same with weights [in, out].
        case turned
        /// Both side by side.
        case mixed
        /// Base and task of this name below `InputUpload.uploads`, without a graph.
        case upload(String)
        /// A tiny model of this family with a graph; the task is the base with noise.
        case family(String)
    }

    enum Verdict: Hashable, Sendable {
        /// Merged alone with coefficient 1 it must come out as it went in, but for this much, relative to the largest
        /// number.
        case accepted(within: Float)
        case refused
    }

    let kind: String
    let base: Base
    let verdict: Verdict
    /// Suites that look closer.
    let suites: [String]
    /// Changes the drop into what the kind is.
    let change: @Sendable (inout InputUpload) throws -> Void

    init(
        _ kind: String, _ base: Base, _ verdict: Verdict, in suites: [String],
        _ change: @escaping @Sendable (inout InputUpload) throws -> Void = { _ in }
    ) {
        self.kind = kind
        self.base = base
        self.verdict = verdict
        self.suites = suites
        self.change = change
    }
}
