package import Files

/// Why a safetensors file or checkpoint can't be used; descriptions say what and what to do.
package enum SafetensorsError: Error, Hashable, Sendable {
    case file(FilesError)
    case malformed(path: String, reason: String)
    /// No safetensors where a checkpoint was expected.
    case missing(path: String, reason: String)
    /// The file ends before its own header says.
    case truncated(path: String, reason: String)
    /// What a writer was asked to write is no safetensors file, or not what was announced.
    case unwritable(path: String, reason: String)
}

extension SafetensorsError: CustomStringConvertible {
    /// One line: what happened and what to do.
    package var description: String {
        switch self {
        case .file(let error): error.description
        case .malformed(let path, let reason):
            "\(path): not a valid safetensors checkpoint: \(reason); save it again with the safetensors library"
        case .missing(let path, let reason): "\(path): \(reason)"
        case .truncated(let path, let reason): "\(path): truncated: \(reason); copy it again, whole"
        case .unwritable(let path, let reason): "\(path): can't be written as safetensors: \(reason)"
        }
    }
}

extension SafetensorsError {
    /// Runs `body` and wraps what it throws.
    static func wrapping<Result>(_ body: () throws(FilesError) -> Result) throws(SafetensorsError) -> Result {
        do throws(FilesError) { return try body() } catch { throw .file(error) }
    }
}
