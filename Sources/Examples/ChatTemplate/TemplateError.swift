internal import Files

/// Why a chat template can't be used, or says no.
package enum TemplateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It is not what Jinja would read; line from 1.
    case malformed(line: Int, String)
    /// A construct that is not implemented here, by its name.
    case unsupported(line: Int, String)
    /// An operation on values that don't go with it.
    case invalid(line: Int, String)
    /// What the template itself said with `raise_exception`.
    case raised(String)
    /// It takes too many steps or writes too much.
    case limit(String)

    package var description: String {
        switch self {
        case .malformed(let line, let reason): "chat template: line \(line): \(shown(reason))"
        case .unsupported(let line, let name): "chat template: line \(line): unsupported \(shown(name))"
        case .invalid(let line, let reason): "chat template: line \(line): \(shown(reason))"
        case .raised(let message): "the chat template refuses: \(shown(message))"
        case .limit(let reason): "chat template: \(shown(reason))"
        }
    }
}
