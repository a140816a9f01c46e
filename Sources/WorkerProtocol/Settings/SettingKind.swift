/// Why a text can't be the value of a setting: what is wrong with it, and what is expected.
package struct SettingProblem: Error {
    package let message: String

    package init(message: String) { self.message = message }
}

/// How the values of a setting are written: in the configuration and on the command line alike.
package struct SettingKind<Value: Sendable>: Sendable {
    /// What may stand there, for people: `integer`, or `one of cpu, cuda`.
    package let name: String
    /// The words to choose from; empty where the value is not one of a list.
    package let choices: [String]
    package let show: @Sendable (Value) -> String
    package let read: @Sendable (String) throws(SettingProblem) -> Value

    package init(
        _ name: String, choices: [String] = [], show: @escaping @Sendable (Value) -> String,
        read: @escaping @Sendable (String) throws(SettingProblem) -> Value
    ) {
        (self.name, self.choices, self.show, self.read) = (name, choices, show, read)
    }
}

extension SettingKind where Value: FixedWidthInteger {
    package static func integer(least: Value) -> Self {
        Self("integer", show: { String($0) }) { text throws(SettingProblem) in
            guard let value = Value(text), value >= least else {
                throw SettingProblem(message: "'\(text)' is not a whole number of at least \(least)")
            }
            return value
        }
    }
}

extension SettingKind<Double> {
    package static var positive: Self { number("above 0") { $0 > 0 } }

    /// A finite number that `accepts` takes; `expectation` ends the sentence "is not a number …".
    package static func number(_ expectation: String, _ accepts: @escaping @Sendable (Double) -> Bool) -> Self {
        Self("number", show: { "\($0)" }) { text throws(SettingProblem) in
            guard let value = Double(text), value.isFinite, accepts(value) else {
                throw SettingProblem(message: "'\(text)' is not a number \(expectation)")
            }
            return value
        }
    }
}

extension SettingKind<Double?> {
    /// Such a number, or an empty text for one that the program chooses.
    package static func number(
        _ expectation: String, orEmpty accepts: @escaping @Sendable (Double) -> Bool
    ) -> Self {
        let number = SettingKind<Double>.number(expectation, accepts)
        return Self("number or empty", show: { $0.map { "\($0)" } ?? "" }) { text throws(SettingProblem) in
            text.isEmpty ? nil : try number.read(text)
        }
    }
}

extension SettingKind<Int64> {
    /// Bytes.
    package static var size: Self {
        Self("size", show: { Quantity.text(bytes: $0) }) { text throws(SettingProblem) in
            guard let value = Quantity.size(text), value > 0 else {
                throw SettingProblem(message: "'\(text)' is not a size; write a number and a unit, for example 8GiB")
            }
            return value
        }
    }
}

extension SettingKind<Bool> {
    package static var flag: Self {
        Self("true or false", show: { "\($0)" }) { text throws(SettingProblem) in
            guard let value = Bool(text) else { throw SettingProblem(message: "'\(text)' is neither true nor false") }
            return value
        }
    }
}

extension SettingKind<Duration> {
    package static func duration(least: Duration = .zero) -> Self {
        Self("duration", show: { Quantity.text($0) }) { text throws(SettingProblem) in
            guard let value = Quantity.duration(text) else {
                throw SettingProblem(
                    message: "'\(text)' is not a duration; write a number and ms, s, m, h or d, for example 5s")
            }
            guard value >= least else {
                throw SettingProblem(message: "'\(text)' is less than \(Quantity.text(least))")
            }
            return value
        }
    }
}

extension SettingKind where Value: RawRepresentable<String> & CaseIterable {
    package static var choice: Self {
        let choices = Value.allCases.map(\.rawValue)
        let names = choices.joined(separator: ", ")
        return Self("one of \(names)", choices: choices, show: { $0.rawValue }) { text throws(SettingProblem) in
            guard let value = Value(rawValue: text) else {
                throw SettingProblem(message: "'\(text)' is not there; choose one of \(names)")
            }
            return value
        }
    }
}
