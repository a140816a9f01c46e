package import Files
import Glibc
import WorkerProtocol

/// A folder of the registry at one scan: names, sizes and times of what counts in it.
package struct UploadListing {
    /// Where the folder is.
    package let place: UploadLocation
    /// SHA-256 over names, kinds and identities: equal fingerprints mean that nothing moved.
    package let fingerprint: String
    /// The latest change of the folder or of a file in it, in nanoseconds since 1970.
    package let newestChange: Int64
    /// Regular files by name, links that stay inside the registry among them.
    package let files: [String: FileIdentity]
    /// Whose they are, whether they count or not; of a link, and of what it leads to.
    package let owners: [User]
    /// The first reason, in the order of the names, for which the drop is refused by its listing alone.
    package let objection: AdmissionFault?
    /// A file that says that a download has not ended; nil where there is none.
    package let unfinished: String?

    /// Most entries of a folder: a checkpoint has as many files as it has shards, and a few more.
    static let mostEntries = 4096

    /// Bytes of all files.
    package var bytes: Int64 { files.values.reduce(0) { $0 &+ $1.size } }

    /// Subfolders by name.
    let folders: [String]

    /// What is there in the place of files, in words; nil where there is nothing.
    package var contentWithoutFiles: String? {
        folders.isEmpty ? nil : "it holds only the folders \(folders.sorted().firstFew), none with a checkpoint"
    }

    /// Most entries of a subfolder that is looked into.
    private static let mostNested = 64
    /// Most entries of a task's folders of images.
    private static let mostImages = ExampleLimits.images

    /// Lists the folder. Of subfolders only those whose files a release passes on, and a task's folders of images, are
    /// looked into and count.
    package init(_ place: UploadLocation, inBase: Bool) throws(FilesError) {
        self.place = place
        var status = stat()
        guard unsafe stat(place.path, &status) == 0 else {
            throw .system(call: "stat", path: place.path, errno: errno)
        }
        var newest = FileIdentity(status).changed
        var digest = Digest()
        var files: [String: FileIdentity] = [:]
        var owners: Set<User> = []
        var objection: AdmissionFault?
        let all = try Durable.list(place.path)
        let names = all.filter { !UploadRules.isIgnored($0) }
        if names.count > Self.mostEntries {
            objection = .refused(
                code: "too-many-files",
                message:
                    "it has \(names.count) entries, more than the \(Self.mostEntries) of any checkpoint; keep only the "
                    + "checkpoint's files there")
            digest.update(Array("\(names.count)".utf8))
        }
        var folders: [String] = []
        var paths: [String] = []
        for name in names.prefix(Self.mostEntries) {
            paths += try Self.expanded(name, in: place.path, inBase: inBase, folders: &folders)
        }
        let images = paths.filter(ExampleFiles.isImage).count
        if images > Self.mostImages, objection == nil {
            objection = .refused(
                code: "too-many-files",
                message:
                    "it has \(images) images, more than the \(Self.mostImages) that are read; keep a few hundred")
        }
        let deeper = folders.filter(BaseFiles.isFolder) + (inBase ? [] : ExampleFiles.imageFolders)
        unfinished = UnfinishedDownload.find(in: place.path, all, deeper)
        if let unfinished { digest.update(Array("\(unfinished)\0".utf8)) }
        for name in paths {
            guard let item = try Self.item(name, in: place) else { continue }
            newest = max(newest, item.identity.changed)
            owners.formUnion(item.owners)
            digest.update(Array("\(name)\0\(item.identity)\0".utf8))
            if item.objection == nil { files[name] = item.identity }
            if objection == nil { objection = item.objection ?? UploadRules.objection(to: name, inBase: inBase) }
        }
        fingerprint = digest.hexadecimal()
        newestChange = newest
        self.files = files
        self.folders = folders
        self.owners = owners.sorted()
        self.objection = objection
    }

    /// The name of an entry, or the paths of a subfolder's files where these count.
    private static func expanded(
        _ name: String, in path: String, inBase: Bool, folders: inout [String]
    ) throws(FilesError) -> [String] {
        if !inBase, ExampleFiles.isImageFolder(name) {
            let images = try images(name, in: path, levels: 2)
            guard images.isEmpty else { return images }
        }
        guard try FileStatus.ifPresent("\(path)/\(name)")?.kind == .directory else { return [name] }
        folders.append(name)
        guard BaseFiles.isFolder(name) else { return [] }
        let nested = try Durable.list("\(path)/\(name)").filter { !UploadRules.isIgnored($0) }
        return nested.prefix(mostNested).map { "\(name)/\($0)" }
    }

    /// The paths of a folder of images, and of the folders in it; none where it is no folder, or a link to one.
    private static func images(_ name: String, in path: String, levels: Int) throws(FilesError) -> [String] {
        guard try FileStatus.ifPresent("\(path)/\(name)")?.kind == .directory else { return [] }
        var paths: [String] = []
        for child in try Durable.list("\(path)/\(name)").prefix(mostEntries + mostImages)
        where !UploadRules.isIgnored(child) {
            let nested = levels > 1 ? try images("\(name)/\(child)", in: path, levels: levels - 1) : []
            paths += nested.isEmpty ? ["\(name)/\(child)"] : nested
        }
        return paths
    }

    /// What stands under `name`; nil for a subfolder and for what has just gone.
    private static func item(
        _ name: String, in place: UploadLocation
    ) throws(FilesError) -> (identity: FileIdentity, owners: [User], objection: AdmissionFault?)? {
        let path = "\(place.path)/\(name)"
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw .system(call: "lstat", path: path, errno: errno)
        }
        let owner = User(status.st_uid)
        switch status.st_mode & S_IFMT {
        case S_IFREG: return (FileIdentity(status), [owner], nil)
        case S_IFDIR: return nil
        case S_IFLNK:
            do throws(FilesError) {
                let target = try place.file(name).status()
                return (target.identity, [owner, target.owner], nil)
            } catch {
                return (FileIdentity(status), [owner], objection(toLink: name, error))
            }
        default:
            return (
                FileIdentity(status), [owner],
                .refused(code: "not-regular", message: "`\(name.printable)` is a FIFO, socket or device; remove it")
            )
        }
    }

    private static func objection(toLink name: String, _ error: FilesError) -> AdmissionFault {
        let shown = "`\(name.printable)`"
        if case .notRegular = error {
            return .refused(
                code: "not-regular", message: "\(shown) is a link to something that is not a file; remove it")
        }
        switch error.errno {
        case EXDEV, ELOOP:
            return .refused(
                code: "link-leaves-registry",
                message: "\(shown) is a link that leaves the registry or is absolute; put the file itself there")
        case ENOENT:
            return .refused(code: "dangling-link", message: "\(shown) is a link to nothing; put the file itself there")
        default: return .unreadable("\(error)")
        }
    }
}
