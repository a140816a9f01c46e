/// Why something can't be signed, or a signature does not hold.
package enum SigningError: Error, Hashable, Sendable {
    /// No key where the configuration says: what to do.
    case noKey(place: String, reason: String)
    /// A file that is no usable key.
    case badKey(path: String, reason: String)
    /// A signature that is unreadable, of another key, or does not belong to what it lies beside.
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
