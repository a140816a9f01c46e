import Signing
import WorkerProtocol

/// One key of the configuration: how it is called, read and shown. The table of all keys is `ConfigurationKey.all`.
package struct ConfigurationKey: Sendable {
    typealias Field<Value> = any WritableKeyPath<Configuration, Value> & Sendable

    /// Why a value can't be used.
    struct Problem: Error { var message: String }

    /// Dotted path, for example `merge.learning-rate`.
    package let path: String
    /// What may stand there, for people.
    package let kind: String
    /// The value as the file would hold it.
    package let show: @Sendable (Configuration) -> String
    let read: @Sendable (String, inout Configuration) throws(Problem) -> Void
}

extension ConfigurationKey {
    static func directory(_ path: String, _ field: Field<String>) -> Self {
        Self(path: path, kind: "absolute path", show: { $0[keyPath: field] }) { text, result throws(Problem) in
            guard text.hasPrefix("/") else { throw Problem(message: "'\(text)' is not an absolute path") }
            result[keyPath: field] = text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
        }
    }

    /// A Unix socket's address holds 103 bytes at most, everywhere.
    static func socket(_ path: String, _ field: Field<String>) -> Self {
        let plain = directory(path, field)
        return Self(path: path, kind: plain.kind, show: plain.show) { text, result throws(Problem) in
            guard text.utf8.count <= 103 else {
                throw Problem(message: "'\(text)' is longer than the 103 bytes that a socket's path may have")
            }
            try plain.read(text, &result)
        }
    }

    static func optionalPath(_ path: String, _ field: Field<String>) -> Self {
        Self(path: path, kind: "absolute path or empty", show: { $0[keyPath: field] }) { text, result throws(Problem) in
            guard text.isEmpty || text.hasPrefix("/") else {
                throw Problem(message: "'\(text)' is not an absolute path")
            }
            result[keyPath: field] = text
        }
    }

    static func keyPlace(_ path: String, _ field: Field<String>) -> Self {
        Self(path: path, kind: "absolute path, name of a credential, or empty", show: { $0[keyPath: field] }) {
            text, result throws(Problem) in
            guard text.isEmpty || KeyPlace.isValid(text) else {
                throw Problem(message: "'\(text)' is neither an absolute path nor the name of a credential")
            }
            result[keyPath: field] = text
        }
    }

    static func loopback(_ path: String, _ field: Field<String>) -> Self {
        Self(path: path, kind: "loopback address and port, or empty", show: { $0[keyPath: field] }) {
            text, result throws(Problem) in
            guard text.isEmpty || LoopbackAddress(text) != nil else {
                throw Problem(
                    message: "'\(text)' is not a loopback address with a port; write for example 127.0.0.1:9464")
            }
            result[keyPath: field] = text
        }
    }

    static func duration(
        _ path: String, _ field: Field<Duration>, least: Duration = .zero
    ) -> Self {
        Self(path: path, kind: "duration", show: { Quantity.text($0[keyPath: field]) }) {
            text, result throws(Problem) in
            guard let value = Quantity.duration(text) else {
                throw Problem(
                    message: "'\(text)' is not a duration; write a number and ms, s, m, h or d, for example 5s")
            }
            guard value >= least else { throw Problem(message: "'\(text)' is less than \(Quantity.text(least))") }
            result[keyPath: field] = value
        }
    }

    static func size(_ path: String, _ field: Field<Int64>) -> Self {
        Self(path: path, kind: "size", show: { Quantity.text(bytes: $0[keyPath: field]) }) {
            text, result throws(Problem) in
            guard let value = Quantity.size(text), value > 0 else {
                throw Problem(message: "'\(text)' is not a size; write a number and a unit, for example 8GiB")
            }
            result[keyPath: field] = value
        }
    }

    static func integer<Value: FixedWidthInteger & Sendable>(
        _ path: String, _ field: Field<Value>, least: Value
    ) -> Self {
        Self(path: path, kind: "integer", show: { String($0[keyPath: field]) }) { text, result throws(Problem) in
            guard let value = Value(text), value >= least else {
                throw Problem(message: "'\(text)' is not a whole number of at least \(least)")
            }
            result[keyPath: field] = value
        }
    }

    static func flag(_ path: String, _ field: Field<Bool>) -> Self {
        Self(path: path, kind: "true or false", show: { "\($0[keyPath: field])" }) { text, result throws(Problem) in
            guard let value = Bool(text) else { throw Problem(message: "'\(text)' is neither true nor false") }
            result[keyPath: field] = value
        }
    }

    static func number(
        _ path: String, _ field: Field<Double>, _ expectation: String,
        _ accepts: @escaping @Sendable (Double) -> Bool
    ) -> Self {
        Self(path: path, kind: "number", show: { "\($0[keyPath: field])" }) { text, result throws(Problem) in
            guard let value = Double(text), value.isFinite, accepts(value) else {
                throw Problem(message: "'\(text)' is not a number \(expectation)")
            }
            result[keyPath: field] = value
        }
    }

    static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
        _ path: String, _ field: Field<Value>
    ) -> Self {
        let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
        return Self(path: path, kind: "one of \(names)", show: { $0[keyPath: field].rawValue }) {
            text, result throws(Problem) in
            guard let value = Value(rawValue: text) else {
                throw Problem(message: "'\(text)' is not there; choose one of \(names)")
            }
            result[keyPath: field] = value
        }
    }
}
