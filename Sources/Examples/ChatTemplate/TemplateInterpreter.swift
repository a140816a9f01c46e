/// Runs a template's statements, with limits on steps and output.
struct TemplateInterpreter {
    private enum Flow { case next, leaveLoop, nextRound }

    /// Names of each scope, the innermost last: a loop's and a macro's own.
    private var scopes: [[String: TemplateValue]]
    private(set) var output = ""
    private var steps = 0
    private var depth = 0
    var namespaces = 0

    private static let mostSteps = 250_000
    private static let longestOutput = 16 << 20
    /// Bytes of a string, elements of a list and of the lists in it, keys of a mapping, bytes that count as a step and
    /// as an element, levels of values in each other, and namespaces.
    static let longestString = 4 << 20
    static let longestList = 1 << 16
    static let longestMapping = 1 << 12
    static let bytesOfStep = 512
    static let bytesOfElement = 64
    static let deepestValue = 32
    static let mostNamespaces = 256
    private static let deepest = 128

    init(_ variables: [String: TemplateValue]) { scopes = [variables] }

    /// Text of the whole template.
    mutating func run(_ nodes: [TemplateNode]) throws(TemplateError) { _ = try execute(nodes) }

    mutating func step(_ line: Int = 0) throws(TemplateError) {
        steps += 1
        guard steps < Self.mostSteps else { throw .limit("it takes more than \(Self.mostSteps) steps") }
    }

    /// Steps for an operation on so many bytes.
    mutating func charge(_ bytes: Int) throws(TemplateError) {
        steps += bytes / Self.bytesOfStep
        try step()
    }

    func variable(_ name: String) -> TemplateValue? {
        for scope in scopes.reversed() { if let value = scope[name] { return value } }
        return nil
    }

    private mutating func write(_ text: String) throws(TemplateError) {
        output += text
        guard output.utf8.count < Self.longestOutput else {
            throw .limit("it writes more than \(Self.longestOutput >> 20) MiB")
        }
    }

    private mutating func execute(_ nodes: [TemplateNode]) throws(TemplateError) -> Flow {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.deepest else { throw .limit("it calls itself more than \(Self.deepest) deep") }
        for node in nodes {
            try step()
            switch node {
            case .text(let text): try write(text)
            case .output(let expression): try write(try text(of: try value(expression), expression.line))
            case .loop(let targets, let values, let condition, let body, let otherwise):
                try loop(targets, values, condition, body, otherwise)
            case .branch(let branches, let otherwise):
                let flow = try execute(try chosen(branches) ?? otherwise)
                if flow != .next { return flow }
            case .set(let name, let attribute, let expression):
                try set(name, attribute, try value(expression), expression.line)
            case .setBlock(let name, let body):
                let text = TemplateValue.string(try captured(body))
                try checkSize(text)
                scopes[scopes.count - 1][name] = text
            case .macro(let name, let parameters, let body):
                scopes[scopes.count - 1][name] = .function(.macro(parameters, body))
            case .breakLoop: return .leaveLoop
            case .continueLoop: return .nextRound
            case .generation(let body):
                let flow = try execute(body)
                if flow != .next { return flow }
            }
        }
        return .next
    }

    private mutating func chosen(_ branches: [TemplateBranch]) throws(TemplateError) -> [TemplateNode]? {
        for branch in branches where try value(branch.condition).isTrue { return branch.body }
        return nil
    }

    private mutating func set(
        _ name: String, _ attribute: String?, _ value: TemplateValue, _ line: Int
    ) throws(TemplateError) {
        if case .function(.method) = value { throw .unsupported(line: line, "a method that is kept in a variable") }
        try checkSize(value)
        guard let attribute else { return scopes[scopes.count - 1][name] = value }
        guard case .namespace(let space) = variable(name) else {
            throw .invalid(line: line, "'\(name)' is no namespace, whose attribute could be set")
        }
        space.attributes[attribute] = value
    }

    /// What a body writes.
    private mutating func captured(_ body: [TemplateNode]) throws(TemplateError) -> String {
        let before = output
        output = ""
        defer { output = before }
        _ = try execute(body)
        return output
    }

    private mutating func loop(
        _ targets: [String], _ values: TemplateExpression, _ condition: TemplateExpression?, _ body: [TemplateNode],
        _ otherwise: [TemplateNode]
    ) throws(TemplateError) {
        var items = try elements(of: try value(values), values.line)
        scopes.append([:])
        defer { scopes.removeLast() }
        if let condition {
            var kept: [TemplateValue] = []
            for item in items {
                try bind(item, to: targets, values.line)
                if try value(condition).isTrue { kept.append(item) }
            }
            items = kept
        }
        if items.isEmpty {
            _ = try execute(otherwise)
            return
        }
        for (index, item) in items.enumerated() {
            try step()
            // What a round sets does not outlive it.
            scopes[scopes.count - 1] = [:]
            try bind(item, to: targets, values.line)
            scopes[scopes.count - 1]["loop"] = Self.description(index, items)
            if try execute(body) == .leaveLoop { break }
        }
    }

    private mutating func bind(
        _ item: TemplateValue, to targets: [String], _ line: Int
    ) throws(TemplateError) {
        guard targets.count > 1 else { return scopes[scopes.count - 1][targets[0]] = item }
        guard case .list(let parts) = item, parts.count == targets.count else {
            throw .invalid(line: line, "\(item.kind) can't be taken apart into \(targets.count) names")
        }
        for (name, part) in zip(targets, parts) { scopes[scopes.count - 1][name] = part }
    }

    /// The variable `loop`.
    private static func description(_ index: Int, _ items: [TemplateValue]) -> TemplateValue {
        let count = items.count
        var pairs: [(String, TemplateValue)] = [
            ("index", .integer(index + 1)), ("index0", .integer(index)), ("revindex", .integer(count - index)),
            ("revindex0", .integer(count - index - 1)), ("first", .bool(index == 0)),
            ("last", .bool(index == count - 1)),
            ("length", .integer(count)), ("depth", .integer(1)), ("depth0", .integer(0)),
        ]
        if index > 0 { pairs.append(("previtem", items[index - 1])) }
        if index < count - 1 { pairs.append(("nextitem", items[index + 1])) }
        return .dictionary(TemplateDictionary(pairs, isOrdered: true))
    }

    /// Calls a macro.
    mutating func call(
        _ parameters: [TemplateParameter], _ body: [TemplateNode], _ values: [TemplateValue],
        _ named: [String: TemplateValue]
    ) throws(TemplateError) -> TemplateValue {
        var scope: [String: TemplateValue] = [:]
        for (index, parameter) in parameters.enumerated() {
            if index < values.count {
                scope[parameter.name] = values[index]
            } else if let value = named[parameter.name] {
                scope[parameter.name] = value
            } else if let standard = parameter.standard {
                scope[parameter.name] = try value(standard)
            } else {
                scope[parameter.name] = .undefined(parameter.name)
            }
        }
        let callers = scopes
        scopes = [scopes[0], scope]
        defer { scopes = callers }
        return .string(try captured(body))
    }
}
