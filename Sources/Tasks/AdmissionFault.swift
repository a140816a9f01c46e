package import Adapters
package import Files
package import Safetensors

/// Why a drop is not accepted at this look.
package enum AdmissionFault: Error {
    /// Bad until its content changes: a short stable code, and one line of what happened and what to do.
    case refused(code: String, message: String)
    /// It can't be judged yet, for a reason outside of it.
    case waiting(String)
    /// It changed while it was looked at.
    case changed(String)
    /// The system would not let us read it; the next look may do better.
    case unreadable(String)
    /// Whoever asked no longer wants to know.
    case cancelled
}

extension AdmissionFault {
    package init(_ error: FilesError) {
        switch error {
        case .notRegular: self = .refused(code: "not-regular", message: "\(error)")
        case .truncated(let path, _): self = .changed("\(path) became shorter while it was read")
        case .tooLarge: self = .refused(code: "too-large", message: "\(error)")
        case .system: self = .unreadable("\(error)")
        }
    }

    package init(_ error: SafetensorsError) {
        switch error {
        case .file(let error): self.init(error)
        case .truncated: self = .refused(code: "truncated", message: "\(error)")
        case .missing: self = .refused(code: "missing-weights", message: "\(error)")
        case .malformed, .unwritable: self = .refused(code: "malformed", message: "\(error)")
        }
    }

    package init(_ error: AdapterError) {
        switch error {
        case .file(let error): self.init(error)
        case .malformed(let message): self = .refused(code: "malformed", message: message)
        case .unsupported(let message): self = .refused(code: "adapter-unsupported", message: message)
        case .mismatch(let message): self = .refused(code: "adapter-mismatch", message: message)
        }
    }

    package init(any error: any Error) {
        switch error {
        case let error as AdmissionFault: self = error
        case let error as FilesError: self.init(error)
        case let error as SafetensorsError: self.init(error)
        case let error as AdapterError: self.init(error)
        case is CancellationError: self = .cancelled
        default: self = .unreadable("\(error)")
        }
    }
}

extension AdmissionFault {
    /// A task without examples where they are needed.
    package static let missingExamples = AdmissionFault.refused(
        code: "missing-validation",
        message:
            "no \(TaskLayout.examples); put examples there, or configure a method that learns nothing and no "
            + "`gate.require-examples`")
}

extension String {
    /// Fit for one line of a message: no control characters, at most 200 characters.
    var printable: String { printable(limit: 200) }

    func printable(limit: Int) -> String {
        let scalars = unicodeScalars.prefix(limit).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }
        return String(String.UnicodeScalarView(scalars))
    }
}

extension AdmissionFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused(_, let message), .waiting(let message), .changed(let message), .unreadable(let message): message
        case .cancelled: "cancelled"
        }
    }
}
