internal import Files

/// Typed values out of an adapter's configuration.
struct ConfigurationReader {
    let values: [String: JSONValue]

    func flag(_ key: String) throws(AdapterError) -> Bool {
        switch values[key] {
        case nil, .null: return false
        case .bool(let value): return value
        case let value?: throw fault(key, value, "true or false")
        }
    }

    func number(_ key: String) throws(AdapterError) -> Double? {
        switch values[key] {
        case nil, .null: return nil
        case let value?:
            guard let number = value.double, number.isFinite else { throw fault(key, value, "a number") }
            return number
        }
    }

    func numbers(_ key: String) throws(AdapterError) -> [String: Double] {
        switch values[key] {
        case nil, .null: return [:]
        case .object(let items):
            var numbers: [String: Double] = [:]
            for (name, value) in items {
                guard let number = value.double, number.isFinite else {
                    throw fault("\(key).\(name)", value, "a number")
                }
                numbers[name] = number
            }
            return numbers
        case let value?: throw fault(key, value, "an object of numbers")
        }
    }

    /// A list of names; nil for a regular expression.
    func names(_ key: String) throws(AdapterError) -> [String]? {
        switch values[key] {
        case nil, .null: return []
        case .string: return nil
        case .array(let items):
            var names: [String] = []
            for item in items {
                guard case .string(let name) = item else { throw fault(key, item, "a list of names") }
                names.append(name)
            }
            return names
        case let value?: throw fault(key, value, "a list of names")
        }
    }

    private func fault(_ key: String, _ value: JSONValue, _ wanted: String) -> AdapterError {
        .malformed("`\(shown(key))` of \(AdapterConfiguration.fileName) is \(value.phrase), not \(wanted)")
    }
}
