/// Reads a template's statements; expressions are in `TemplateParser+Expressions`.
struct TemplateParser {
    private let tokens: [TemplateToken]
    private var position = 0
    private var depth = 0
    /// Operators, attributes and filters of one expression so far: each is a level of its tree.
    private var links = 0
    private static let deepest = 64
    private static let mostLinks = 1024

    static func nodes(of template: String) throws(TemplateError) -> [TemplateNode] {
        var parser = TemplateParser(tokens: try TemplateLexer.tokens(of: template))
        let nodes = try parser.body(until: [])
        return nodes
    }

    private init(tokens: [TemplateToken]) { self.tokens = tokens }

    var current: TemplateToken.Kind { tokens[position].kind }
    var line: Int { tokens[position].line }

    mutating func advance() { if position < tokens.count - 1 { position += 1 } }

    func isSymbol(_ text: String) -> Bool { current == .symbol(text) }
    func isName(_ text: String) -> Bool { current == .name(text) }

    /// Takes a symbol where it is there.
    mutating func takeSymbol(_ text: String) -> Bool {
        guard isSymbol(text) else { return false }
        advance()
        return true
    }

    mutating func takeName(_ text: String) -> Bool {
        guard isName(text) else { return false }
        advance()
        return true
    }

    mutating func expect(_ kind: TemplateToken.Kind, _ what: String) throws(TemplateError) {
        guard current == kind else { throw .malformed(line: line, "expected \(what)") }
        advance()
    }

    mutating func name() throws(TemplateError) -> String {
        guard case .name(let name) = current else { throw .malformed(line: line, "expected a name") }
        advance()
        return name
    }

    /// Bounds how deep statements and expressions lie in each other.
    mutating func nested<Value>(
        _ body: (inout TemplateParser) throws(TemplateError) -> Value
    ) throws(TemplateError) -> Value {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.deepest else { throw .limit("line \(line): it is nested more than \(Self.deepest) deep") }
        return try body(&self)
    }

    /// Counts one more level of an expression's tree.
    mutating func link() throws(TemplateError) {
        links += 1
        guard links <= Self.mostLinks else {
            throw .limit("line \(line): an expression of more than \(Self.mostLinks) operators")
        }
    }

    /// Nodes up to one of these tags, whose name is then taken, or up to the template's end.
    private mutating func body(until ends: Set<String>) throws(TemplateError) -> [TemplateNode] {
        var nodes: [TemplateNode] = []
        while true {
            links = 0
            switch current {
            case .text(let text):
                nodes.append(.text(text))
                advance()
            case .beginOutput:
                advance()
                nodes.append(.output(try expression()))
                try expect(.endOutput, "}}")
            case .beginTag:
                guard case .name(let tag) = tokens[position + 1].kind else {
                    throw .malformed(line: line, "expected the name of a tag")
                }
                if ends.contains(tag) { return nodes }
                advance()
                advance()
                nodes.append(try nested { parser throws(TemplateError) in try parser.statement(tag) })
            case .end:
                guard ends.isEmpty else { throw .malformed(line: line, "expected {% \(ends.sorted()[0]) %}") }
                return nodes
            default: throw .malformed(line: line, "expected text or a tag")
            }
        }
    }

    /// Takes the tag that ended a body; gives its name.
    private mutating func closing() throws(TemplateError) -> String {
        advance()
        return try name()
    }

    private mutating func endTag() throws(TemplateError) { try expect(.endTag, "%}") }

    private mutating func statement(_ tag: String) throws(TemplateError) -> TemplateNode {
        switch tag {
        case "for": return try loop()
        case "if": return try branch()
        case "set": return try set()
        case "macro": return try macro()
        case "break", "continue":
            try endTag()
            return tag == "break" ? .breakLoop : .continueLoop
        case "generation":
            try endTag()
            let nodes = try body(until: ["endgeneration"])
            _ = try closing()
            try endTag()
            return .generation(nodes)
        default: throw .unsupported(line: line, "tag '\(tag)'")
        }
    }

    private mutating func loop() throws(TemplateError) -> TemplateNode {
        var targets = [try name()]
        while takeSymbol(",") { targets.append(try name()) }
        guard takeName("in") else { throw .malformed(line: line, "expected 'in'") }
        let values = try alternative()
        var condition: TemplateExpression?
        if takeName("if") { condition = try expression() }
        if isName("recursive") { throw .unsupported(line: line, "'recursive' of a for loop") }
        try endTag()
        let nodes = try body(until: ["endfor", "else"])
        var otherwise: [TemplateNode] = []
        if try closing() == "else" {
            try endTag()
            otherwise = try body(until: ["endfor"])
            _ = try closing()
        }
        try endTag()
        return .loop(targets: targets, values: values, condition: condition, body: nodes, otherwise: otherwise)
    }

    private mutating func branch() throws(TemplateError) -> TemplateNode {
        var branches: [TemplateBranch] = []
        while true {
            let condition = try expression()
            try endTag()
            branches.append(TemplateBranch(condition: condition, body: try body(until: ["elif", "else", "endif"])))
            switch try closing() {
            case "elif": continue
            case "else":
                try endTag()
                let nodes = try body(until: ["endif"])
                _ = try closing()
                try endTag()
                return .branch(branches, otherwise: nodes)
            default:
                try endTag()
                return .branch(branches, otherwise: [])
            }
        }
    }

    private mutating func set() throws(TemplateError) -> TemplateNode {
        let name = try name()
        var attribute: String?
        if takeSymbol(".") { attribute = try self.name() }
        if takeSymbol("=") {
            let value = try expression()
            try endTag()
            return .set(name: name, attribute: attribute, value: value)
        }
        guard attribute == nil, current == .endTag else {
            throw .unsupported(line: line, "'set' of several names or with a filter")
        }
        try endTag()
        let nodes = try body(until: ["endset"])
        _ = try closing()
        try endTag()
        return .setBlock(name: name, body: nodes)
    }

    private mutating func macro() throws(TemplateError) -> TemplateNode {
        let name = try name()
        try expect(.symbol("("), "(")
        var parameters: [TemplateParameter] = []
        while !takeSymbol(")") {
            var parameter = TemplateParameter(name: try self.name())
            if takeSymbol("=") { parameter.standard = try expression() }
            parameters.append(parameter)
            if !isSymbol(")") { try expect(.symbol(","), "a comma") }
        }
        try endTag()
        let nodes = try body(until: ["endmacro"])
        _ = try closing()
        if case .name = current { advance() }
        try endTag()
        return .macro(name: name, parameters: parameters, body: nodes)
    }
}
