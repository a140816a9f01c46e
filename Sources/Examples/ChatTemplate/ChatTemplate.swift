package import Files

/// A chat template of a base: messages to the text that its model was trained on, as transformers'
/// `apply_chat_template` renders it.
///
/// A subset of Jinja: statements `for`, `if`, `set`, `macro`, `break`, `continue`, `generation`; expressions, filters,
/// tests and methods of strings as the templates of Llama, Qwen, Mistral, Gemma, SmolLM and Phi use them. What is not
/// implemented is refused by its name, when the template is read or when a conversation comes to it. The time of day is
/// not given (`strftime_now` is not defined), so that the same examples are the same text every day.
package struct ChatTemplate: Sendable {
    private let nodes: [TemplateNode]
    private let tokens: [String: String]

    /// Bytes of a template.
    package static let longest = 1 << 20

    /// `tokens`: the special tokens by the names that templates know, such as `bos_token`. Throws `TemplateError`.
    package init(_ template: String, tokens: [String: String] = [:]) throws(TemplateError) {
        guard template.utf8.count <= Self.longest else {
            throw .limit("it has more than \(Self.longest >> 20) MiB")
        }
        nodes = try TemplateParser.nodes(of: template)
        self.tokens = tokens
    }

    /// The text of messages; `addsPrompt`: with the beginning of an answer behind them.
    package func text(of messages: [JSONValue], addsPrompt: Bool = false) throws(TemplateError) -> String {
        var variables = tokens.mapValues { TemplateValue.string($0) }
        variables["messages"] = .list(messages.map(TemplateValue.init))
        variables["add_generation_prompt"] = .bool(addsPrompt)
        for name in ["tools", "documents"] { variables[name] = TemplateValue.none }
        var interpreter = TemplateInterpreter(variables)
        try interpreter.run(nodes)
        return interpreter.output
    }
}
