import Files
import WorkerProtocol

@testable import Merging

/// Releases as their records have them.
enum RecordedRelease {
    /// The record of what lies in the plan's output directory, with the files of base and tasks as they are now.
    static func record(_ plan: MergePlan, _ result: MergeResult) throws -> ReleaseRecord {
        func files(_ directory: String) throws -> [SourceFile] {
            try Durable.list(directory).map { name in
                let file = try ReadableFile(path: "\(directory)/\(name)", followingLinks: true)
                return SourceFile(name: name, bytes: file.size, sha256: try file.sha256())
            }
        }
        var (base, tasks) = (plan.base, plan.tasks)
        base.files = try files(base.directory)
        for index in tasks.indices { tasks[index].files = try files(tasks[index].directory) }
        return ReleaseRecord(
            version: 3, created: "", merge: "m", settings: plan.settings, base: base, tasks: tasks, result: result)
    }

    static func reproduce(_ record: ReleaseRecord, _ release: String, kept: String? = nil) throws -> Reproduction {
        try Fixture.temporarily { try Reproduction(of: record, in: release, kept: kept, scratch: $0) }
    }
}
