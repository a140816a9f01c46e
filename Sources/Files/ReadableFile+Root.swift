internal import Glibc

extension ReadableFile {
    /// Opens `name` in `directory`, whose links may not lead out of `root`: `directory` itself (nil) or a folder above
    /// it. With `/` as the root every link is followed, absolute ones too.
    package convenience init(name: String, directory: String, root: String?) throws(FilesError) {
        let directory = Self.withoutTrailingSlashes(directory)
        let root = Self.withoutTrailingSlashes(root ?? directory)
        if root == "/" {
            try self.init(path: "\(directory)/\(name)", followingLinks: true)
        } else if directory == root {
            try self.init(name: name, beneath: root)
        } else if directory.hasPrefix(root + "/") {
            try self.init(name: "\(directory.dropFirst(root.count + 1))/\(name)", beneath: root)
        } else {
            throw .system(call: "openat2", path: "\(directory)/\(name)", errno: EXDEV)
        }
    }

    private static func withoutTrailingSlashes(_ path: String) -> String {
        var path = path
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
