/// Operators and tests.
extension TemplateInterpreter {
    func binary(
        _ symbol: String, _ left: TemplateValue, _ right: TemplateValue, _ line: Int
    ) throws(TemplateError) -> TemplateValue {
        switch symbol {
        case "==": return .bool(left.equals(right))
        case "!=": return .bool(!left.equals(right))
        case "in": return .bool(try contains(right, left, line))
        case "~": return .string(try text(of: left, line) + text(of: right, line))
        case "<", "<=", ">", ">=": return .bool(try isOrdered(symbol, left, right, line))
        case "+":
            if case .string(let first) = left, case .string(let second) = right { return .string(first + second) }
            if case .list(let first) = left, case .list(let second) = right { return .list(first + second) }
        case "*":
            if case .string(let text) = left, let count = right.whole, count < 1000,
                max(0, count) * text.utf8.count <= Self.longestString
            {
                return .string(String(repeating: text, count: max(0, count)))
            }
        default: break
        }
        return try arithmetic(symbol, left, right, line)
    }

    private func arithmetic(
        _ symbol: String, _ left: TemplateValue, _ right: TemplateValue, _ line: Int
    ) throws(TemplateError) -> TemplateValue {
        guard let first = left.double, let second = right.double else {
            throw .invalid(line: line, "\(left.kind) and \(right.kind) don't go with '\(symbol)'")
        }
        let isDivision = ["/", "//", "%"].contains(symbol)
        guard !isDivision || second != 0 else { throw .invalid(line: line, "division by zero") }
        if symbol == "/" { return .number(first / second) }
        guard let own = left.whole, let other = right.whole else {
            switch symbol {
            case "+": return .number(first + second)
            case "-": return .number(first - second)
            case "*": return .number(first * second)
            case "//": return .number((first / second).rounded(.down))
            default: return .number(first - second * (first / second).rounded(.down))
            }
        }
        let (result, overflow): (Int, Bool)
        switch symbol {
        case "+": (result, overflow) = own.addingReportingOverflow(other)
        case "-": (result, overflow) = own.subtractingReportingOverflow(other)
        case "*": (result, overflow) = own.multipliedReportingOverflow(by: other)
        default:
            let (quotient, isTooLarge) = own.dividedReportingOverflow(by: other)
            let rest = own.remainderReportingOverflow(dividingBy: other).partialValue
            let isRoundedUp = rest != 0 && (rest < 0) != (other < 0)
            overflow = isTooLarge
            result = symbol == "//" ? quotient - (isRoundedUp ? 1 : 0) : rest + (isRoundedUp ? other : 0)
        }
        guard !overflow else { throw .invalid(line: line, "a number beyond 64 bits") }
        return .integer(result)
    }

    private func isOrdered(
        _ symbol: String, _ left: TemplateValue, _ right: TemplateValue, _ line: Int
    ) throws(TemplateError) -> Bool {
        let order: Int
        if let first = left.double, let second = right.double {
            order = first < second ? -1 : first > second ? 1 : 0
        } else if case .string(let first) = left, case .string(let second) = right {
            let (own, other) = (first.unicodeScalars, second.unicodeScalars)
            order = own.lexicographicallyPrecedes(other) ? -1 : own.elementsEqual(other) ? 0 : 1
        } else {
            throw .invalid(line: line, "\(left.kind) and \(right.kind) have no order")
        }
        return switch symbol {
        case "<": order < 0
        case "<=": order <= 0
        case ">": order > 0
        default: order >= 0
        }
    }

    private func contains(
        _ whole: TemplateValue, _ part: TemplateValue, _ line: Int
    ) throws(TemplateError) -> Bool {
        switch (whole, part) {
        case (.string(let text), .string(let part)): return part.isEmpty || text.utf8.contains(Array(part.utf8))
        case (.list(let items), _): return items.contains { $0.equals(part) }
        case (.dictionary(let items), .string(let key)): return items[key] != nil
        case (.dictionary, _), (.undefined, _): return false
        case (.namespace(let space), .string(let key)): return space.attributes[key] != nil
        default: throw .invalid(line: line, "\(whole.kind) can't hold \(part.kind)")
        }
    }

    func test(
        _ name: String, _ value: TemplateValue, _ arguments: [TemplateValue], _ line: Int
    ) throws(TemplateError) -> Bool {
        switch (name, value) {
        case ("defined", _): return !value.isUndefined
        case ("undefined", _): return value.isUndefined
        case ("none", .none), ("string", .string), ("mapping", .dictionary), ("mapping", .namespace): return true
        case ("boolean", .bool), ("number", .bool), ("number", .integer), ("number", .number): return true
        case ("integer", .integer), ("float", .number), ("callable", .function): return true
        case ("sequence", .list), ("sequence", .string), ("sequence", .dictionary): return true
        case ("iterable", .list), ("iterable", .string), ("iterable", .dictionary), ("iterable", .undefined):
            return true
        case ("true", .bool(let isTrue)): return isTrue
        case ("false", .bool(let isTrue)): return !isTrue
        case ("none", _), ("string", _), ("mapping", _), ("boolean", _), ("number", _), ("integer", _), ("float", _),
            ("callable", _), ("sequence", _), ("iterable", _), ("true", _), ("false", _):
            return false
        case ("equalto", _), ("eq", _):
            if let other = arguments.first { return value.equals(other) }
        case ("ne", _):
            if let other = arguments.first { return !value.equals(other) }
        case ("in", _):
            if let whole = arguments.first { return try contains(whole, value, line) }
        case ("even", _), ("odd", _):
            if let number = value.whole { return (number % 2 == 0) == (name == "even") }
        default: break
        }
        throw .unsupported(line: line, "test '\(name)' of \(value.kind)")
    }
}
