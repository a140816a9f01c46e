/// One thing that is wrong with a configuration file.
package struct ConfigurationFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Line in the file, from 1, where it is known.
    package var line: Int?
    /// Dotted path of the key, empty for the file itself.
    package var key: String
    /// What is wrong and what to write instead.
    package var message: String

    package var description: String {
        (line.map { "line \($0): " } ?? "") + (key.isEmpty ? "" : "\(key): ") + message
    }
}

/// All faults of a configuration at once.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    package var file: String
    package var faults: [ConfigurationFault]

    package var description: String { faults.map { "\(file): \($0)" }.joined(separator: "\n") }
}
