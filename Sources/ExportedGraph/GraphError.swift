/// Why an archive can't be read.
package enum GraphError: Error, Hashable, Sendable {
    case malformed(path: String, reason: String)
    case unsupported(path: String, reason: String)
}
