/// Why an archive can't be read.
package enum GraphError: Error, Hashable, Sendable {
    case malformed(path: String, reason: String)
    case unsupported(path: String, reason: String)
}

extension GraphError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let path, let reason):
            "\(path) is not a whole torch.export archive: \(reason.visible); copy or export it again"
        case .unsupported(let path, let reason):
            "\(path) can't be used: \(reason.visible); export it again with Tools/export_model.py"
        }
    }
}

extension String {
    /// Fit for one line: names and keys of an archive are anybody's.
    fileprivate var visible: String {
        let shown = unicodeScalars.prefix(2000).map {
            $0.properties.generalCategory == .control ? $0.escaped(asASCII: true) : String($0)
        }
        return shown.joined()
    }
}
