package import Files

/// Why nothing at all can be said about the registry.
package enum RegistryError: Error, Hashable, Sendable {
    /// The root, or `tasks` below it, can't be listed.
    case unreadable(FilesError)
    /// The kernel gives no more watches of this kind.
    case unwatchable(path: String, errno: Int32)
}

extension RegistryError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let error): "the registry can't be read: \(error)"
        case .unwatchable(let path, let errno):
            "\(path): inotify failed with errno \(errno); raise fs.inotify.max_user_instances, or rely on the slow "
                + "timer"
        }
    }
}
