package import Files

/// Why a task's files can't be kept.
package enum TaskStoreError: Error, Hashable, Sendable {
    /// A file is no longer the one that was admitted.
    case changed(path: String)
    /// A copy would leave too little room beside it.
    case noRoom(directory: String, bytes: Int64)
    case file(FilesError)
}

extension TaskStoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .changed(let path): "\(path) changed after it was admitted"
        case .noRoom(let directory, let bytes):
            "\(directory): \(bytes) more bytes would leave too little room; free space on its file system"
        case .file(let error): "\(error)"
        }
    }
}
