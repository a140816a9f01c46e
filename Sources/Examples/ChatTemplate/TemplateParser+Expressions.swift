/// Expressions by precedence, as Jinja has it: conditional, or, and, not, comparison, `~`, sum, product, sign, power,
/// and filters and tests behind a value.
extension TemplateParser {
    mutating func expression() throws(TemplateError) -> TemplateExpression {
        try nested { parser throws(TemplateError) in
            let line = parser.line
            let value = try parser.alternative()
            guard parser.takeName("if") else { return value }
            let condition = try parser.alternative()
            var otherwise: TemplateExpression?
            if parser.takeName("else") { otherwise = try parser.expression() }
            return .init(kind: .conditional(value, if: condition, otherwise: otherwise), line: line)
        }
    }

    mutating func alternative() throws(TemplateError) -> TemplateExpression {
        var value = try conjunction()
        while isName("or") {
            let line = line
            try link()
            advance()
            value = .init(kind: .binary("or", value, try conjunction()), line: line)
        }
        return value
    }

    private mutating func conjunction() throws(TemplateError) -> TemplateExpression {
        var value = try negation()
        while isName("and") {
            let line = line
            try link()
            advance()
            value = .init(kind: .binary("and", value, try negation()), line: line)
        }
        return value
    }

    private mutating func negation() throws(TemplateError) -> TemplateExpression {
        let line = line
        guard takeName("not") else { return try comparison() }
        let value = try nested { parser throws(TemplateError) in try parser.negation() }
        return .init(kind: .not(value), line: line)
    }

    private mutating func comparison() throws(TemplateError) -> TemplateExpression {
        var value = try sum()
        var comparisons = 0
        while true {
            let line = line
            try link()
            comparisons += 1
            // Python compares each with the next, and joins what comes out.
            if comparisons > 1, isComparison { throw .unsupported(line: line, "chain of comparisons") }
            switch current {
            case .symbol(let symbol) where Self.comparisons.contains(symbol):
                advance()
                value = .init(kind: .binary(symbol, value, try sum()), line: line)
            case .name("in"):
                advance()
                value = .init(kind: .binary("in", value, try sum()), line: line)
            case .name("not"):
                advance()
                guard takeName("in") else { throw .malformed(line: line, "expected 'in' behind 'not'") }
                let found = TemplateExpression(kind: .binary("in", value, try sum()), line: line)
                value = .init(kind: .not(found), line: line)
            default: return value
            }
        }
    }

    private static let comparisons: Set = ["==", "!=", "<", "<=", ">", ">="]

    private var isComparison: Bool {
        if case .symbol(let symbol) = current { return Self.comparisons.contains(symbol) }
        return isName("in") || isName("not")
    }

    private mutating func sum() throws(TemplateError) -> TemplateExpression {
        try chain(["+", "-"]) { parser throws(TemplateError) in try parser.concatenation() }
    }

    private mutating func concatenation() throws(TemplateError) -> TemplateExpression {
        try chain(["~"]) { parser throws(TemplateError) in try parser.product() }
    }

    private mutating func product() throws(TemplateError) -> TemplateExpression {
        try chain(["*", "/", "//", "%"]) { parser throws(TemplateError) in try parser.sign() }
    }

    private mutating func chain(
        _ symbols: Set<String>, _ part: (inout TemplateParser) throws(TemplateError) -> TemplateExpression
    ) throws(TemplateError) -> TemplateExpression {
        var value = try part(&self)
        while case .symbol(let symbol) = current, symbols.contains(symbol) {
            let line = line
            try link()
            advance()
            value = .init(kind: .binary(symbol, value, try part(&self)), line: line)
        }
        return value
    }

    /// A value with its signs, and the filters and tests of the whole.
    private mutating func sign() throws(TemplateError) -> TemplateExpression {
        try filtersAndTests(try signed())
    }

    private mutating func signed() throws(TemplateError) -> TemplateExpression {
        let line = line
        if takeSymbol("-") {
            let value = try nested { parser throws(TemplateError) in try parser.signed() }
            return .init(kind: .negative(value), line: line)
        }
        let value = try postfix(try primary())
        if isSymbol("**") { throw .unsupported(line: line, "operator '**'") }
        return value
    }

    private mutating func filtersAndTests(_ start: TemplateExpression) throws(TemplateError) -> TemplateExpression {
        var value = start
        while true {
            let line = line
            try link()
            if takeSymbol("|") {
                let filter = try name()
                value = .init(kind: .filter(value, filter, try argumentsIfAny()), line: line)
                value = try postfix(value)
            } else if takeName("is") {
                let isNegated = takeName("not")
                let test = try name()
                var arguments = try argumentsIfAny()
                if arguments.values.isEmpty, Self.testsWithArgument.contains(test) {
                    arguments.values = [try postfix(try primary())]
                }
                value = .init(kind: .test(value, test, arguments, isNegated: isNegated), line: line)
            } else {
                return value
            }
        }
    }

    private static let testsWithArgument: Set = ["equalto", "eq", "in", "divisibleby", "sameas", "ne"]

    private mutating func argumentsIfAny() throws(TemplateError) -> TemplateArguments {
        takeSymbol("(") ? try arguments() : TemplateArguments()
    }

    /// Arguments up to the closing parenthesis.
    private mutating func arguments() throws(TemplateError) -> TemplateArguments {
        var arguments = TemplateArguments()
        while !takeSymbol(")") {
            let value = try expression()
            if case .name(let name) = value.kind, takeSymbol("=") {
                arguments.named[name] = try expression()
            } else {
                arguments.values.append(value)
            }
            if !isSymbol(")") { try expect(.symbol(","), "a comma or )") }
        }
        return arguments
    }

    private mutating func postfix(_ start: TemplateExpression) throws(TemplateError) -> TemplateExpression {
        var value = start
        while true {
            let line = line
            try link()
            if takeSymbol(".") {
                if case .integer(let index) = current {
                    advance()
                    let item = TemplateExpression(kind: .literal(.integer(index)), line: line)
                    value = .init(kind: .item(value, item), line: line)
                } else {
                    value = .init(kind: .attribute(value, try name()), line: line)
                }
            } else if takeSymbol("[") {
                value = .init(kind: try subscripted(value), line: line)
            } else if takeSymbol("(") {
                value = .init(kind: .call(value, try arguments()), line: line)
            } else {
                return value
            }
        }
    }

    private mutating func subscripted(
        _ value: TemplateExpression
    ) throws(TemplateError) -> TemplateExpression.Kind {
        var parts: [TemplateExpression?] = [nil]
        var isSlice = false
        while !takeSymbol("]") {
            if takeSymbol(":") {
                isSlice = true
                parts.append(nil)
            } else {
                parts[parts.count - 1] = try expression()
            }
            guard parts.count <= 3 else { throw .malformed(line: line, "a slice has at most three parts") }
        }
        if isSlice {
            return .slice(value, from: parts[0], to: parts[1], step: parts.count > 2 ? parts[2] : nil)
        }
        guard let index = parts[0] else { throw .malformed(line: line, "expected an index") }
        return .item(value, index)
    }

    private mutating func primary() throws(TemplateError) -> TemplateExpression {
        let line = line
        let kind = current
        advance()
        switch kind {
        case .string(var text):
            while case .string(let next) = current {
                text += next
                advance()
            }
            return .init(kind: .literal(.string(text)), line: line)
        case .integer(let value): return .init(kind: .literal(.integer(value)), line: line)
        case .number(let value): return .init(kind: .literal(.number(value)), line: line)
        case .name(let name):
            let literals: [String: TemplateLiteral] = [
                "true": .bool(true), "True": .bool(true), "false": .bool(false), "False": .bool(false), "none": .none,
                "None": .none,
            ]
            return .init(kind: literals[name].map { .literal($0) } ?? .name(name), line: line)
        case .symbol("("): return try parenthesized(line)
        case .symbol("["):
            var items: [TemplateExpression] = []
            while !takeSymbol("]") {
                items.append(try expression())
                if !isSymbol("]") { try expect(.symbol(","), "a comma or ]") }
            }
            return .init(kind: .list(items), line: line)
        case .symbol("{"):
            var pairs: [[TemplateExpression]] = []
            while !takeSymbol("}") {
                let key = try expression()
                try expect(.symbol(":"), "a colon")
                pairs.append([key, try expression()])
                if !isSymbol("}") { try expect(.symbol(","), "a comma or }") }
            }
            return .init(kind: .dictionary(pairs), line: line)
        default: throw .malformed(line: line, "expected a value")
        }
    }

    /// An expression in parentheses, or a tuple, which is a list here.
    private mutating func parenthesized(_ line: Int) throws(TemplateError) -> TemplateExpression {
        var items: [TemplateExpression] = []
        var isTuple = false
        while !takeSymbol(")") {
            items.append(try expression())
            if takeSymbol(",") {
                isTuple = true
            } else if !isSymbol(")") {
                throw .malformed(line: self.line, "expected )")
            }
        }
        if items.count == 1, !isTuple { return items[0] }
        return .init(kind: .list(items), line: line)
    }
}
