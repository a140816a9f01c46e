internal import Files

extension ReleaseContents {
    /// Everything below `directory` that is not a directory, by its relative name; links are not followed.
    static func walk(_ directory: String, prefix: String = "") throws -> [(String, FileStatus)] {
        var found: [(String, FileStatus)] = []
        for name in try Durable.list(directory) {
            let path = "\(directory)/\(name)"
            let status = try FileStatus(path: path)
            if status.kind == .directory {
                found += try walk(path, prefix: "\(prefix)\(name)/")
            } else {
                found.append((prefix + name, status))
            }
        }
        return found
    }

    /// Takes every permission to write away, from the leaves up; what has none is not touched. Readers keep theirs.
    static func makeReadOnly(_ path: String, withRoot: Bool = true) throws {
        let status = try FileStatus(path: path)
        if status.kind == .directory {
            for name in try Durable.list(path) { try makeReadOnly("\(path)/\(name)") }
        }
        if withRoot, status.kind != .link, status.mode & 0o222 != 0 {
            try Durable.changeMode(path, to: status.mode & ~0o222)
        }
    }
}
