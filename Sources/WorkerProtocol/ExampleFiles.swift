internal import Files

/// Names of the files in which a task brings its examples.
package enum ExampleFiles {
    /// One tensor for each input of the graph, and `labels`.
    package static let tensors = "validation.safetensors"
    /// One example per row: JSON Lines, and CSV with a header.
    package static let tables = ["validation.jsonl", "validation.csv"]
    /// Subfolders of a task that hold images.
    package static let imageFolders = ["validation", "images"]
    /// Tables beside the images that they name, as imagefolder of Hugging Face has them.
    package static let imageTables = ["validation/metadata.jsonl", "validation/metadata.csv"]
    /// What stands for a table where the images lie in a folder for each class.
    package static let classFolders = "folders of classes"
    /// Those in the task's own folder, for messages; a task has at most one.
    package static let all = [tensors] + tables
    /// All of them.
    package static let listed = all + imageTables

    /// Endings of the images that are read, in lower case.
    private static let imageEndings = [".png", ".jpg", ".jpeg"]

    /// Whether a subfolder of a task's folder holds images.
    package static func isImageFolder(_ name: String) -> Bool { imageFolders.contains(name) }

    /// Whether the file at this path below a task's folder is an image of its examples, by its name: in a folder of
    /// images, or one folder below it.
    package static func isImage(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), isImageFolder(String(parts[0])), let name = parts.last else {
            return false
        }
        let lower = name.lowercased()
        return imageEndings.contains { lower.utf8.count > $0.utf8.count && lower.hasSuffix($0) }
    }

    /// The class of an image that lies in a folder of its class, `validation/<class>/<name>`; nil for any other path.
    package static func imageClass(_ path: String) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return isImage(path) && parts.count == 3 ? String(parts[1]) : nil
    }

    /// Whether these files of a task are images in folders of their classes alone, which need no table.
    package static func areClassified(_ names: some Collection<String>) -> Bool {
        let images = names.filter(isImage)
        return !images.isEmpty && images.allSatisfy { imageClass($0) != nil } && !names.contains(where: listed.contains)
    }

    /// Whether the file at this path below a task's folder is a part of its examples.
    package static func isExamples(_ path: String) -> Bool { listed.contains(path) || isImage(path) }

    private static func hasClassFolders(_ folder: String) -> Bool {
        imageFolders.contains { images in
            let classes = (try? Durable.list("\(folder)/\(images)")) ?? []
            return classes.contains { name in
                let names = (try? Durable.list("\(folder)/\(images)/\(name)")) ?? []
                return names.contains { isImage("\(images)/\(name)/\($0)") }
            }
        }
    }

    /// Whether a task's folder has examples, by the names alone.
    package static func areThere(in folder: String) -> Bool {
        listed.contains { name in
            (try? FileStatus.ifPresent("\(folder)/\(name)", followingLinks: true)) != nil
        } || hasClassFolders(folder)
    }
}
