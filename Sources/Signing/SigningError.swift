/// Why signing failed, or why a signature is invalid.
package enum SigningError: Error, Hashable, Sendable {
    /// The configured key is missing.
    case noKey(place: String, reason: String)
    /// A file that is not a usable key.
    case badKey(path: String, reason: String)
    /// A signature that is unreadable, by another key, or over other content.
    case badSignature(path: String, reason: String)
}

extension SigningError: CustomStringConvertible {
    /// One line: what happened and what to do.
    package var description: String {
        switch self {
        case .noKey(let place, let reason): "signing.key '\(place)': \(reason)"
        case .badKey(let path, let reason):
            "\(path): not usable as a key: \(reason); make one with 'openssl genpkey -algorithm EC -pkeyopt "
                + "ec_paramgen_curve:P-256 -out FILE'"
        case .badSignature(let path, let reason): "\(path): the signature does not hold: \(reason)"
        }
    }
}
