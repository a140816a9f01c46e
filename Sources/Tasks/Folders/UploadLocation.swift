package import Files
import Glibc

/// Where a drop lies: the registry's root and the folder below it. Files are opened from the root, so that no link
/// leads out.
package struct UploadLocation: Hashable, Sendable {
    package let root: String
    /// `base` or `tasks/<task>`; behind a link, the folder that the link means.
    package let relative: String

    package var path: String { root == "/" ? "/\(relative)" : "\(root)/\(relative)" }

    package init(root: String, relative: String) {
        self.root = root
        self.relative = relative
    }

    /// A folder that somebody named, whose files may be links to anywhere, as in the caches of Hugging Face. Throws
    /// where there is none.
    package init(named directory: String) throws(AdmissionFault) {
        let path = Self.realPath(directory)
        guard let path, path != "/", (try? FileStatus(path: path, followingLinks: true))?.kind == .directory else {
            throw .unreadable("\(directory): there is no such folder; check the path")
        }
        self.init(root: "/", relative: String(path.dropFirst()))
    }

    /// The folder at `relative`; nil where there is none, a fault where a link leads out of the registry or to no
    /// folder.
    package static func find(_ relative: String, in root: String) throws(AdmissionFault) -> UploadLocation? {
        let path = "\(root)/\(relative)"
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw AdmissionFault(FilesError.system(call: "lstat", path: path, errno: errno))
        }
        if status.st_mode & S_IFMT == S_IFDIR { return UploadLocation(root: root, relative: relative) }
        guard status.st_mode & S_IFMT == S_IFLNK else {
            throw .refused(
                code: "not-a-folder", message: "`\(relative.printable)` is not a folder; put the files in one")
        }
        guard let home = realPath(root), let target = realPath(path), unsafe stat(target, &status) == 0 else {
            throw .refused(code: "dangling-link", message: "`\(relative.printable)` is a link to nothing; remove it")
        }
        guard target.hasPrefix(home + "/"), status.st_mode & S_IFMT == S_IFDIR else {
            throw .refused(
                code: "link-leaves-registry",
                message: "`\(relative.printable)` is a link that leaves the registry; put the folder itself there")
        }
        return UploadLocation(root: root, relative: String(target.dropFirst(home.count + 1)))
    }

    package func open(_ name: String) throws(AdmissionFault) -> ReadableFile {
        do throws(FilesError) {
            return try file(name)
        } catch {
            if error.errno == ENOENT { throw .changed("\(path)/\(name) went away while it was looked at") }
            throw AdmissionFault(error)
        }
    }

    /// Opens the named file, whose links may not lead out of the root; with `/` as the root every link is followed.
    func file(_ name: String) throws(FilesError) -> ReadableFile {
        try ReadableFile(name: name, directory: path, root: root)
    }

    /// The path without links; nil where there is nothing.
    package static func realPath(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }
}
