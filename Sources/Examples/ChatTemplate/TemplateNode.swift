/// A template's syntax tree.
indirect enum TemplateNode: Hashable, Sendable {
    case text(String)
    case output(TemplateExpression)
    /// `for targets in values if condition`, its body, and what stands in its place where there are no values.
    case loop(
        targets: [String], values: TemplateExpression, condition: TemplateExpression?, body: [TemplateNode],
        otherwise: [TemplateNode])
    case branch([TemplateBranch], otherwise: [TemplateNode])
    /// `set name = value`, or `set name.attribute = value` of a namespace.
    case set(name: String, attribute: String?, value: TemplateExpression)
    case setBlock(name: String, body: [TemplateNode])
    case macro(name: String, parameters: [TemplateParameter], body: [TemplateNode])
    case breakLoop, continueLoop
    /// `{% generation %}` of transformers: what an assistant says.
    case generation([TemplateNode])
}

struct TemplateBranch: Hashable, Sendable {
    var condition: TemplateExpression
    var body: [TemplateNode]
}

struct TemplateParameter: Hashable, Sendable {
    var name: String
    var standard: TemplateExpression?
}

/// An expression and the line that it is on.
struct TemplateExpression: Hashable, Sendable {
    indirect enum Kind: Hashable, Sendable {
        case literal(TemplateLiteral)
        case list([TemplateExpression])
        case dictionary([[TemplateExpression]])
        case name(String)
        case attribute(TemplateExpression, String)
        case item(TemplateExpression, TemplateExpression)
        case slice(TemplateExpression, from: TemplateExpression?, to: TemplateExpression?, step: TemplateExpression?)
        case call(TemplateExpression, TemplateArguments)
        case filter(TemplateExpression, String, TemplateArguments)
        case test(TemplateExpression, String, TemplateArguments, isNegated: Bool)
        case not(TemplateExpression)
        case negative(TemplateExpression)
        case binary(String, TemplateExpression, TemplateExpression)
        case conditional(TemplateExpression, if: TemplateExpression, otherwise: TemplateExpression?)
    }

    var kind: Kind
    var line: Int
}

enum TemplateLiteral: Hashable, Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
}

struct TemplateArguments: Hashable, Sendable {
    var values: [TemplateExpression] = []
    var named: [String: TemplateExpression] = [:]
}
