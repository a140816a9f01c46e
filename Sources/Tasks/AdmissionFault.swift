package import Adapters
package import Files
package import Safetensors
package import WorkerProtocol

/// Why an upload is not accepted at this scan.
package enum AdmissionFault: Error {
    /// Bad until its content changes: a short stable code, and one line of what happened and what to do.
    case refused(code: String, message: String)
    /// It can't be judged yet, for a reason outside of it.
    case waiting(String)
    /// Its examples are being encoded; a later scan will judge it.
    case encoding(String)
    /// It changed while it was looked at.
    case changed(String)
    /// The system did not let it be read; the next scan may succeed.
    case unreadable(String)
    /// The scan was cancelled.
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
            "no examples (\(ExampleFiles.all.joined(separator: ", "))); put them there, or configure a method that "
            + "learns nothing and no `gate.require-examples`")

    /// A task that is judged by texts, of a base whose tokens nothing can read.
    package static func missingTokenizer(_ metric: Metric) -> AdmissionFault {
        .refused(
            code: "unsupported-tokenizer",
            message:
                "\(TaskLayout.settings): metric \(metric.rawValue) compares texts, and the base has no "
                + "\(BaseFiles.tokenizer) to read tokens with; save the base with a fast tokenizer, or choose metric "
                + "token-accuracy")
    }

    /// Images without the table that says their classes.
    static let missingTable = AdmissionFault.refused(
        code: "missing-validation",
        message:
            "there are images, and no table of their labels; add validation.csv with the columns file and label, or "
            + "validation/metadata.csv, or put each image into a folder of its class, validation/<class>/")
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
        case .refused(_, let message), .waiting(let message), .encoding(let message), .changed(let message),
            .unreadable(let message):
            message
        case .cancelled: "cancelled"
        }
    }
}
