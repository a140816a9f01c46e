/// What goes into a graph and what comes out, by the model's own names.
package struct GraphSignature: Hashable, Sendable {
    package struct Slot: Hashable, Sendable {
        /// State-dict name for parameters and buffers, argument name for inputs.
        package var name: String
        /// PyTorch's name of the type: `float32`, `int64`, …
        package var dtype: String
        /// Nil where the axis is symbolic.
        package var shape: [Int?]
        /// Other state-dict names that share the storage (tied weights).
        package var aliases: [String]
        package var rule: InputRule

        package init(
            name: String, dtype: String, shape: [Int?], aliases: [String], rule: InputRule = InputRule()
        ) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
            self.aliases = aliases
            self.rule = rule
        }
    }

    package var parameters: [Slot]
    package var buffers: [Slot]
    package var inputs: [Slot]
    /// Axes of the first output, nil where one is symbolic; empty where they are not told.
    package var output: [Int?]
    /// What the base says of its texts' embeddings; nil where it says nothing.
    package var embedding: Embedding?

    /// Embeddings [texts, width], as the modules of a sentence-transformers model make them.
    package enum Embedding: Hashable, Sendable {
        /// The second output.
        case output
        /// The modules are not built here; one line, without what to do.
        case unsupported(reason: String)
    }

    package init(parameters: [Slot], buffers: [Slot], inputs: [Slot], output: [Int?] = []) {
        self.parameters = parameters
        self.buffers = buffers
        self.inputs = inputs
        self.output = output
    }

    /// All names of each parameter that has several.
    package var ties: [[String]] { parameters.filter { !$0.aliases.isEmpty }.map { [$0.name] + $0.aliases } }
}
