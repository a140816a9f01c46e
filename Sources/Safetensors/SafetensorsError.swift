package import Files

/// Why a safetensors file or checkpoint can't be used; descriptions say what and what to do.
package enum SafetensorsError: Error, Hashable, Sendable {
    case file(FilesError)
    case malformed(path: String, reason: String)
    /// No safetensors where a checkpoint was expected.
    case missing(path: String, reason: String)
}
