import Files
import Glibc
import Tasks

extension RegistryScanner {
    static var noEntry: Int32 { ENOENT }

    /// What stands in `tasks/`; nothing where that folder is missing. The root itself must be there.
    func taskNames() throws(RegistryError) -> [String] {
        do throws(FilesError) {
            guard try Durable.list(root).contains("tasks") else { return [] }
            return try Durable.list("\(root)/tasks")
        } catch {
            throw .unreadable(error)
        }
    }

    /// Whose the files of a drop are, or what stands there where its files can't be listed; nil where nothing does.
    func owners(of relative: String, _ listing: UploadListing?) -> [User]? {
        listing?.owners ?? (try? FileStatus.ifPresent("\(root)/\(relative)")).map { [$0.owner] }
    }

    /// Why what stands in `tasks/` under this name is no task.
    static func objection(toTask name: String, path: String) -> String? {
        guard UploadRules.isTaskName(name) else {
            return "not a task name; use letters, digits, `.`, `_` and `-`, at most 128, the first a letter or digit"
        }
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        let kind = status.st_mode & S_IFMT
        return kind == S_IFDIR || kind == S_IFLNK ? nil : "not a folder; put the task's files in a folder of its own"
    }
}
