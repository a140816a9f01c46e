/// Values of expressions.
extension TemplateInterpreter {
    mutating func value(_ expression: TemplateExpression) throws(TemplateError) -> TemplateValue {
        try step()
        let value = try unchecked(expression)
        switch expression.kind {
        case .list, .dictionary, .call, .filter, .binary, .slice: try checkSize(value)
        // What is read costs as long as it is, since the operation on it does.
        case .name, .attribute, .item: if case .string(let text) = value { try charge(text.utf8.count) }
        default: break
        }
        return value
    }

    /// Bounds what a template can make in its loops, and charges its length.
    mutating func checkSize(_ value: TemplateValue) throws(TemplateError) {
        switch value {
        case .string(let text):
            guard text.utf8.count <= Self.longestString else {
                throw .limit("it makes a string of more than \(Self.longestString >> 20) MiB")
            }
            try charge(text.utf8.count)
        case .function(.method): break
        default:
            try chargeElements(of: value)
            guard !value.isDeeper(than: Self.deepestValue) else {
                throw .limit("it makes values that are nested more than \(Self.deepestValue) deep")
            }
        }
    }

    /// Charges an operation that goes through a value.
    private mutating func chargeElements(of value: TemplateValue) throws(TemplateError) {
        guard let count = value.count(upTo: Self.longestList) else {
            throw .limit("it makes a value of more than \(Self.longestList) elements")
        }
        try charge(count * Self.bytesOfElement)
    }

    private mutating func unchecked(_ expression: TemplateExpression) throws(TemplateError) -> TemplateValue {
        let line = expression.line
        switch expression.kind {
        case .literal(let literal): return TemplateValue(literal)
        case .list(let items):
            var values: [TemplateValue] = []
            for item in items { values.append(try value(item)) }
            return .list(values)
        case .dictionary(let pairs):
            guard pairs.count <= Self.longestMapping else {
                throw .limit("line \(line): a mapping of more than \(Self.longestMapping) keys")
            }
            var values: [(String, TemplateValue)] = []
            for pair in pairs {
                guard case .string(let key) = try value(pair[0]) else {
                    throw .unsupported(line: line, "mapping whose keys are no strings")
                }
                values.append((key, try value(pair[1])))
            }
            return .dictionary(TemplateDictionary(values, isOrdered: true))
        case .name(let name):
            if let value = variable(name) { return value }
            guard !Self.ofMacros.contains(name) else { throw .unsupported(line: line, "variable '\(name)' of a macro") }
            return Self.functions.contains(name) ? .function(.named(name)) : .undefined(name)
        case .attribute(let owner, let name): return try attribute(name, of: try value(owner), line)
        case .item(let owner, let index): return try item(try value(index), of: try value(owner), line)
        case .slice(let owner, let from, let to, let step):
            var bounds: [Int?] = []
            for bound in [from, to, step] {
                if let bound { bounds.append(try whole(bound)) } else { bounds.append(nil) }
            }
            return try slice(try value(owner), bounds[0], bounds[1], bounds[2] ?? 1, line)
        case .call(let function, let arguments): return try call(function, arguments, line)
        case .filter(let owner, let name, let arguments):
            let (values, named) = try evaluated(arguments)
            let filtered = try value(owner)
            try chargeElements(of: filtered)
            return try filter(name, filtered, values, named, line)
        case .test(let owner, let name, let arguments, let isNegated):
            let (values, _) = try evaluated(arguments)
            return .bool(try test(name, try value(owner), values, line) != isNegated)
        case .not(let operand): return .bool(!(try value(operand).isTrue))
        case .negative(let operand):
            switch try value(operand) {
            case .integer(let number): return .integer(0 &- number)
            case .number(let number): return .number(-number)
            case let other: throw .invalid(line: line, "\(other.kind) has no sign")
            }
        case .binary("and", let first, let second):
            let left = try value(first)
            return left.isTrue ? try value(second) : left
        case .binary("or", let first, let second):
            let left = try value(first)
            return left.isTrue ? left : try value(second)
        case .binary(let symbol, let first, let second):
            let (left, right) = (try value(first), try value(second))
            if ["==", "!=", "in"].contains(symbol) {
                try chargeElements(of: left)
                try chargeElements(of: right)
            }
            return try binary(symbol, left, right, line)
        case .conditional(let first, let condition, let second):
            if try value(condition).isTrue { return try value(first) }
            guard let second else { return .undefined("an if without else") }
            return try value(second)
        }
    }

    private mutating func whole(_ expression: TemplateExpression) throws(TemplateError) -> Int? {
        switch try value(expression) {
        case .none: return nil
        case let value:
            guard let number = value.whole else {
                throw .invalid(line: expression.line, "\(value.kind) is no index")
            }
            return number
        }
    }

    private mutating func evaluated(
        _ arguments: TemplateArguments
    ) throws(TemplateError) -> ([TemplateValue], [String: TemplateValue]) {
        var values: [TemplateValue] = []
        for argument in arguments.values { values.append(try value(argument)) }
        var named: [String: TemplateValue] = [:]
        for (name, argument) in arguments.named.sorted(by: { $0.key < $1.key }) { named[name] = try value(argument) }
        return (values, named)
    }

    private func attribute(
        _ name: String, of owner: TemplateValue, _ line: Int
    ) throws(TemplateError) -> TemplateValue {
        switch owner {
        case .undefined: throw .invalid(line: line, "\(owner.kind), has no '\(name)'")
        case .namespace(let space):
            if let value = space.attributes[name] { return value }
        case .dictionary(let items):
            // As in Python, a method comes before a key of its name.
            if Self.isMethod(name, of: owner) { break }
            guard !Self.furtherMethods.contains(name) else {
                throw .unsupported(line: line, "method '\(name)' of a mapping; a key is ['\(name)']")
            }
            if let value = items[name] { return value }
        default: break
        }
        guard !Self.isMethod(name, of: owner) else { return .function(.method(TemplateValueBox(owner), name)) }
        guard !name.hasPrefix("__") else { throw .unsupported(line: line, "attribute '\(name)' of \(owner.kind)") }
        return .undefined(name)
    }

    private func item(
        _ index: TemplateValue, of owner: TemplateValue, _ line: Int
    ) throws(TemplateError) -> TemplateValue {
        switch (owner, index) {
        case (.undefined, _): throw .invalid(line: line, "\(owner.kind), has no items")
        case (.dictionary(let items), .string(let key)) where items[key] != nil: return items[key] ?? .undefined(key)
        case (_, .string(let key)) where key.hasPrefix("__"):
            throw .unsupported(line: line, "attribute '\(key)' of \(owner.kind)")
        case (.dictionary, .string(let key)): return .undefined(key)
        case (.namespace(let space), .string(let key)): return space.attributes[key] ?? .undefined(key)
        case (.list(let items), .integer(let index)):
            let place = index < 0 ? items.count + index : index
            return items.indices.contains(place) ? items[place] : .undefined("item \(index)")
        case (.string(let text), .integer(let index)):
            let scalars = Array(text.unicodeScalars)
            let place = index < 0 ? scalars.count + index : index
            return scalars.indices.contains(place) ? .string(String(scalars[place])) : .undefined("item \(index)")
        default: return .undefined("item")
        }
    }

    private func slice(
        _ owner: TemplateValue, _ from: Int?, _ to: Int?, _ step: Int, _ line: Int
    ) throws(TemplateError) -> TemplateValue {
        guard step != 0, step != .min else { throw .invalid(line: line, "invalid step \(step) of a slice") }
        switch owner {
        case .list(let items): return .list(Self.indices(items.count, from, to, step).map { items[$0] })
        case .string(let text):
            let scalars = Array(text.unicodeScalars)
            let taken = Self.indices(scalars.count, from, to, step).map { scalars[$0] }
            return .string(String(String.UnicodeScalarView(taken)))
        default: throw .invalid(line: line, "\(owner.kind) has no slices")
        }
    }

    /// Python's rule for the indices of a slice.
    private static func indices(_ count: Int, _ from: Int?, _ to: Int?, _ step: Int) -> [Int] {
        func clamped(_ bound: Int?, _ standard: Int) -> Int {
            guard let bound else { return standard }
            let place = bound < 0 ? max(bound, -count - 1) + count : min(bound, count)
            return step > 0 ? max(0, place) : min(max(-1, place), count - 1)
        }
        let start = clamped(from, step > 0 ? 0 : count - 1)
        let end = clamped(to, step > 0 ? count : -1)
        return Array(stride(from: start, to: end, by: step))
    }

    private mutating func call(
        _ callee: TemplateExpression, _ arguments: TemplateArguments, _ line: Int
    ) throws(TemplateError) -> TemplateValue {
        let function = try value(callee)
        let (values, named) = try evaluated(arguments)
        switch function {
        case .function(.named(let name)): return try builtIn(name, values, named, line)
        case .function(.method(let owner, let name)):
            guard named.isEmpty else { throw .unsupported(line: line, "method '\(name)' with named arguments") }
            return try method(name, of: owner.value, values, line)
        case .function(.macro(let parameters, let body)):
            let known = Set(parameters.map(\.name))
            guard values.count <= parameters.count, named.keys.allSatisfy(known.contains) else {
                throw .invalid(line: line, "a macro of \(parameters.count) parameters is given others")
            }
            return try call(parameters, body, values, named)
        case .undefined(let name): throw .unsupported(line: line, "function or method '\(name)'")
        default: throw .invalid(line: line, "\(function.kind) can't be called")
        }
    }

    private static let ofMacros: Set = ["varargs", "kwargs", "caller"]
    static let functions: Set = ["namespace", "raise_exception", "range", "dict"]

    private mutating func builtIn(
        _ name: String, _ values: [TemplateValue], _ named: [String: TemplateValue], _ line: Int
    ) throws(TemplateError) -> TemplateValue {
        switch name {
        case "namespace":
            namespaces += 1
            guard namespaces <= Self.mostNamespaces else {
                throw .limit("it makes more than \(Self.mostNamespaces) namespaces")
            }
            let space = TemplateNamespace()
            for attribute in named.values {
                if case .function(.method) = attribute {
                    throw .unsupported(line: line, "a method that is kept in a variable")
                }
            }
            space.attributes = named
            return .namespace(space)
        case "raise_exception":
            if case .string(let message)? = values.first { throw .raised(message) }
            throw .raised("no reason given")
        case "dict":
            return .dictionary(TemplateDictionary(named.sorted { $0.key < $1.key }.map { ($0, $1) }, isOrdered: false))
        default:
            let numbers = values.compactMap(\.whole)
            guard numbers.count == values.count, (1...3).contains(numbers.count) else {
                throw .invalid(line: line, "range takes one to three whole numbers")
            }
            let (start, end) = numbers.count == 1 ? (0, numbers[0]) : (numbers[0], numbers[1])
            let step = numbers.count > 2 ? numbers[2] : 1
            guard step != 0, (Double(end) - Double(start)) / Double(step) <= Double(Self.longestList) else {
                throw .limit("line \(line): a range of more than \(Self.longestList) numbers")
            }
            return .list(stride(from: start, to: end, by: step).map { .integer($0) })
        }
    }

    /// What a loop goes over.
    func elements(of value: TemplateValue, _ line: Int) throws(TemplateError) -> [TemplateValue] {
        switch value {
        case .list(let items): return items
        case .dictionary(let items):
            try checkOrder(items, line)
            return items.pairs.map { .string($0.key) }
        case .string(let text): return text.unicodeScalars.map { .string(String($0)) }
        // An undefined name is empty to a loop.
        case .undefined: return []
        default: throw .invalid(line: line, "\(value.kind) can't be looped over")
        }
    }

    /// The order of the members of an object in a table is not kept, and Python would go by it.
    func checkOrder(_ items: TemplateDictionary, _ line: Int) throws(TemplateError) {
        guard items.isOrdered else {
            throw .unsupported(line: line, "use of the order of an object's members")
        }
    }

    /// As `{{ }}` writes it.
    func text(of value: TemplateValue, _ line: Int) throws(TemplateError) -> String {
        switch value {
        case .undefined: ""
        case .none: "None"
        case .bool(let value): value ? "True" : "False"
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .string(let value): value
        case .list, .dictionary, .namespace, .function:
            throw .unsupported(line: line, "output of \(value.kind)")
        }
    }
}
