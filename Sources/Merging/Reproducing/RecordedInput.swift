internal import Files
internal import Glibc
internal import WorkerProtocol

/// The base or a task of a release, looked for in the folders where it may lie.
struct RecordedInput {
    /// `base`, or the task's name.
    let owner: String
    let files: [SourceFile]
    /// Files whose loss does not matter.
    let isNeeded: @Sendable (String) -> Bool

    /// A folder that was looked into, the files with their stamps now, and what is not as it was.
    struct Place {
        let directory: String
        var files: [SourceFile] = []
        var faults: [Reproduction.Fault] = []

        var lacks: Int { faults.count(where: \.isNeeded) }
        var isUsable: Bool { lacks == 0 }
    }

    /// The first folder that has everything that is needed, else the last of those that lack least. Reads every file
    /// that has its length.
    func find(in directories: [String]) -> Place {
        var best: Place?
        for directory in directories {
            let place = look(into: directory)
            if place.isUsable { return place }
            if place.lacks <= best?.lacks ?? .max { best = place }
        }
        return best ?? Place(directory: "")
    }

    private func look(into directory: String) -> Place {
        var place = Place(directory: directory)
        for file in files {
            let path = "\(directory)/\(file.name)"
            func note(_ state: Reproduction.Fault.State) {
                place.faults.append(.init(of: owner, path: path, state: state, isNeeded: isNeeded(file.name)))
            }
            do {
                let found = try ReadableFile(path: path, followingLinks: true)
                guard try found.size == file.bytes && found.sha256() == file.sha256 else {
                    note(.changed)
                    continue
                }
                var file = file
                file.stamp = try found.identity().description
                place.files.append(file)
            } catch let error as FilesError where [ENOENT, ENOTDIR].contains(error.errno) {
                note(.gone)
            } catch {
                note(.unreadable)
            }
        }
        return place
    }
}
