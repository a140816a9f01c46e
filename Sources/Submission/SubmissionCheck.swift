import Files
import Foundation
package import Tasks

/// Asks admission about what is submitted, before anything is copied: a folder of links, outside the registry, that has
/// the names which the task's folder will have.
package final class SubmissionCheck {
    /// The folder of links; removed with the object.
    package let directory: String
    private let root: String

    /// Throws `FilesError` where the folder of links can't be made below the system's for temporary files.
    package init(_ folder: SubmittedFolder, task: String) throws {
        let temporary = FileManager.default.temporaryDirectory.path
        root = "\(temporary)/supermerge-submit-\(UUID().uuidString)"
        directory = "\(root)/\(task)"
        do {
            try Durable.createDirectories(directory, mode: 0o700)
            for (name, path) in folder.files {
                try Durable.createDirectories("\(directory)/\(name)".splitPath.directory, mode: 0o700)
                try FileManager.default.createSymbolicLink(
                    atPath: "\(directory)/\(name)", withDestinationPath: path)
            }
        } catch {
            try? Durable.remove(root)
            throw error
        }
    }

    deinit { try? Durable.remove(root) }

    /// What admission would say of it as a task of the base in `base`. Reads every file.
    /// `encoder` makes tensors of a table of examples.
    package func verdict(
        base: String, encoder: ExampleEncoder? = nil
    ) throws(AdmissionFault) -> AdmissionDryRunResult {
        try AdmissionDryRun(directory, base: base, encoder: encoder, isCopied: true).verdict()
    }

    /// A folder beside that of the links, removed with the object.
    package var scratch: String { "\(root)/.encoded" }

    /// Relative name → path of every file, those among them that were made here.
    package func files() throws -> [String: String] {
        var files: [String: String] = [:]
        var folders = [""]
        while let folder = folders.popLast() {
            for name in try Durable.list("\(directory)/\(folder)") {
                let relative = folder + name
                if try FileStatus(path: "\(directory)/\(relative)").kind == .directory {
                    folders.append(relative + "/")
                } else {
                    files[relative] = path(relative)
                }
            }
        }
        return files
    }

    private func path(_ name: String) -> String {
        UploadLocation.realPath("\(directory)/\(name)") ?? "\(directory)/\(name)"
    }
}
