/// Why an archive can't be read.
package enum GraphError: Error, Hashable, Sendable {
    case malformed(path: String, reason: String)
    case unsupported(path: String, reason: String)
}

extension GraphError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let path, let reason):
            "\(path) is not a whole torch.export archive: \(reason); copy or export it again"
        case .unsupported(let path, let reason):
            "\(path) can't be used: \(reason); export it again with Tools/export_model.py"
        }
    }
}
