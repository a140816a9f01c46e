/// Why a table of examples can't be encoded.
package enum ExamplesError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A fault of the file, with line and column from 1.
    case malformed(file: String, line: Int, column: Int, reason: String)
    /// A fault of one example.
    case example(file: String, line: Int, reason: String)
    /// A fault of the whole set, or of what it is encoded with.
    case set(String)
    /// The base's tokenizer is missing, or is not of a kind that is read here.
    case tokenizer(String)
    /// The base's image processor is missing, or is not of a kind that is read here.
    case processor(String)
    /// The encoded set would be longer than a limit.
    case tooLarge(String)

    package var description: String {
        switch self {
        case .malformed(let file, let line, let column, let reason): "\(file):\(line):\(column): \(reason)"
        case .example(let file, let line, let reason): "\(file):\(line): \(reason)"
        case .set(let reason), .tokenizer(let reason), .processor(let reason), .tooLarge(let reason): reason
        }
    }

    /// Admission's code: short and stable.
    package var code: String {
        switch self {
        case .malformed: "malformed-examples"
        case .example, .set: "invalid-examples"
        case .tokenizer: "unsupported-tokenizer"
        case .processor: "unsupported-processor"
        case .tooLarge: "too-large"
        }
    }
}
