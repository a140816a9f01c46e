import Signing
import WorkerProtocol

/// One key of the configuration: how it is called, read and shown. The table of all keys is `ConfigurationKey.all`.
package struct ConfigurationKey: Sendable {
    typealias Field<Value> = any WritableKeyPath<Configuration, Value> & Sendable

    /// Dotted path, for example `merge.learning-rate`.
    package let path: String
    /// What may stand there, for people.
    package let kind: String
    /// The value as the file would hold it.
    package let show: @Sendable (Configuration) -> String
    let read: @Sendable (String, inout Configuration) throws(SettingProblem) -> Void

    /// Of a section other than `merge`.
    init<Value: Sendable>(_ path: String, _ field: Field<Value>, _ kind: SettingKind<Value>) {
        (self.path, self.kind) = (path, kind.name)
        show = { kind.show($0[keyPath: field]) }
        read = { text, result throws(SettingProblem) in result[keyPath: field] = try kind.read(text) }
    }

    /// Of the section `merge`.
    init(_ setting: MergeSetting) {
        (path, kind) = ("merge.\(setting.name)", setting.kind)
        show = { setting.show($0.merge) }
        read = { text, result throws(SettingProblem) in try setting.read(text, &result.merge) }
    }
}

extension SettingKind<String> {
    static var directory: Self {
        text("absolute path") { text throws(SettingProblem) in
            guard text.hasPrefix("/") else { throw SettingProblem(message: "'\(text)' is not an absolute path") }
            return text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
        }
    }

    /// A Unix socket's address holds 103 bytes at most, everywhere.
    static var socket: Self {
        text(directory.name) { text throws(SettingProblem) in
            guard text.utf8.count <= 103 else {
                throw SettingProblem(message: "'\(text)' is longer than the 103 bytes that a socket's path may have")
            }
            return try directory.read(text)
        }
    }

    static var pathOrEmpty: Self {
        text("absolute path or empty") { text throws(SettingProblem) in
            guard text.isEmpty || text.hasPrefix("/") else {
                throw SettingProblem(message: "'\(text)' is not an absolute path")
            }
            return text
        }
    }

    static var keyPlace: Self {
        text("absolute path, name of a credential, or empty") { text throws(SettingProblem) in
            guard text.isEmpty || KeyPlace.isValid(text) else {
                throw SettingProblem(message: "'\(text)' is neither an absolute path nor the name of a credential")
            }
            return text
        }
    }

    static var loopback: Self {
        text("loopback address and port, or empty") { text throws(SettingProblem) in
            guard text.isEmpty || LoopbackAddress(text) != nil else {
                throw SettingProblem(
                    message: "'\(text)' is not a loopback address with a port; write for example 127.0.0.1:9464")
            }
            return text
        }
    }

    private static func text(
        _ name: String, read: @escaping @Sendable (String) throws(SettingProblem) -> String
    ) -> Self {
        Self(name, show: { $0 }, read: read)
    }
}
