internal import Files
internal import Foundation
package import WorkerProtocol

extension Reproduction {
    /// Makes the model, heads and coefficients of a release again and compares their SHA-256 with those recorded and
    /// those of the files in `directory`. Files that the base passed on are compared with the base's; README.md,
    /// report.html, bom.cdx.json, provenance.json and release.json, which say when and what, are not made again.
    ///
    /// `base`: the base's folder where it is no longer the recorded one; `tasks`: those of tasks by name; `kept`: a
    /// folder of task folders by digest, looked into before the recorded ones; `scratch`: an existing folder with room
    /// for a second copy of the release.
    ///
    /// Throws `MergeError`, and what the file system said.
    package init(
        of record: ReleaseRecord, in directory: String, base: String? = nil, tasks: [String: String] = [:],
        kept: String? = nil, scratch: String
    ) throws {
        release = record.version
        merge = record.merge
        (outputs, versions) = ([], [:])
        let baseInput = RecordedInput(owner: "base", files: record.base.files) { _ in true }
        let basePlace = baseInput.find(in: [base ?? record.base.directory])
        let names = Set(record.result.outputs.map(\.name))
        let taskPlaces = record.tasks.map { task in
            let isDescribed = names.contains("heads/\(task.name).json")
            let input = RecordedInput(owner: task.name, files: task.files) { name in
                name == HeadConfiguration.fileName ? isDescribed : !Self.isUnneeded(name)
            }
            return input.find(
                in: [tasks[task.name], kept.map { "\($0)/\(task.digest)" }, task.directory].compactMap(\.self))
        }
        let places = [basePlace] + taskPlaces
        inputs = places.flatMap(\.faults)
        outcome = .impossible
        guard places.allSatisfy(\.isUsable) else { return }

        var plan = MergePlan(
            merge: record.merge, base: record.base, tasks: record.tasks, settings: record.resolvedSettings.pinned,
            output: scratch + "/release", scratch: scratch + "/work")
        (plan.base.directory, plan.base.files) = (basePlace.directory, basePlace.files)
        for (index, place) in taskPlaces.enumerated() {
            (plan.tasks[index].directory, plan.tasks[index].files) = (place.directory, place.files)
        }
        for folder in [plan.output, plan.scratch] { try Durable.createDirectories(folder) }
        let made = try MergeRun(plan, report: { _ in }).reproduce(release: directory)
        var digests = Dictionary(made.map { ($0.name, $0.sha256) }) { first, _ in first }
        for name in record.result.outputs.map(\.name) where BaseFiles.isPassedOn(name) && digests[name] == nil {
            digests[name] = try? ReadableFile(path: "\(basePlace.directory)/\(name)", followingLinks: true).sha256()
        }
        outputs = record.result.outputs.filter { !Self.written.contains($0.name) }.map { output in
            Output(
                name: output.name, recorded: output.sha256,
                released: try? ReadableFile(name: output.name, beneath: directory).sha256(),
                recomputed: digests[output.name])
        }
        outcome = outputs.allSatisfy(\.isSame) ? .same : .different
        for (name, now) in BuildProvenance.versions() where record.result.versions[name] != now {
            versions[name] = [record.result.versions[name] ?? "unknown", now]
        }
    }

    /// Pages that are written from the record.
    private static let written: Set = ["README.md", "report.html", "bom.cdx.json", "provenance.json"]
    /// Files of a task that had their part in the fit alone, or whose content is in the record.
    private static func isUnneeded(_ name: String) -> Bool { ExampleFiles.isExamples(name) || name == "task.yaml" }
}
