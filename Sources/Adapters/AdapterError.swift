package import Safetensors

/// Why an adapter can't be merged onto a base; descriptions are one line: what happened and what to do.
package enum AdapterError: Error, Hashable, Sendable {
    case file(SafetensorsError)
    /// A file that is no adapter of PEFT's.
    case malformed(String)
    /// Something that PEFT can write and that is no task vector of known structure; names the key.
    case unsupported(String)
    /// It does not fit this base.
    case mismatch(String)
}

extension AdapterError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .file(let error): error.description
        case .malformed(let message), .unsupported(let message), .mismatch(let message): message
        }
    }
}
