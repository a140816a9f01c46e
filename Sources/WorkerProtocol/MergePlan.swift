/// What the daemon asks a worker to do: everything that decides the bytes of the candidate, and nothing else.
package struct MergePlan: Codable, Hashable, Sendable {
    /// Name of the merge, the same for the same inputs and settings, so that an interrupted fit finds its scratch
    /// again.
    package var merge: String
    /// The base model θp.
    package var base: BaseSource
    /// The tasks to merge, in order of their names.
    package var tasks: [TaskSource]
    /// Method, strategy and the numbers of the fit.
    package var settings: MergeSettings
    /// The release that is deployed now: compared with, and the source of a warm start.
    package var deployed: DeployedSource?
    /// An existing empty directory on the file system of `deploy`, to be filled with the candidate.
    package var output: String
    /// A directory that outlives the worker; the state of an interrupted fit lies here (a few kilobytes).
    package var scratch: String
    /// A directory that outlives the merge: the nodes of the tree that the next hierarchical merge starts from, each
    /// with an intermediate model in float32. Nil: under `scratch`, for one merge.
    package var tree: String?

    package init(
        merge: String, base: BaseSource, tasks: [TaskSource], settings: MergeSettings, deployed: DeployedSource? = nil,
        output: String, scratch: String, tree: String? = nil
    ) {
        self.merge = merge
        self.base = base
        self.tasks = tasks
        self.settings = settings
        self.deployed = deployed
        self.output = output
        self.scratch = scratch
        self.tree = tree
    }
}

/// The base model's folder and the files read from it.
package struct BaseSource: Codable, Hashable, Sendable {
    package var directory: String
    package var files: [SourceFile]
    /// SHA-256 over the sorted (name, sha256) pairs of `files`.
    package var digest: String
    /// What a release leaves out of the folder and why; each one line.
    package var warnings: [String]
    /// Where it comes from and under which licence it is, as `base.yaml` says; nil where that says nothing.
    package var origin: ModelOrigin?
    /// The head of the graph that is built, the end of a class's name such as `ForTokenClassification`, where it is the
    /// tasks' and not the one that the base's `config.json` names; else nil.
    package var head: String?

    package init(
        directory: String, files: [SourceFile], digest: String, warnings: [String] = [], origin: ModelOrigin? = nil,
        head: String? = nil
    ) {
        self.directory = directory
        self.files = files
        self.digest = digest
        self.warnings = warnings
        self.origin = origin
        self.head = head
    }

    /// A key that another version of the program did not write has its default.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        directory = try values.decode(String.self, forKey: .directory)
        files = try values.decode([SourceFile].self, forKey: .files)
        digest = try values.decode(String.self, forKey: .digest)
        warnings = try values.decodeIfPresent([String].self, forKey: .warnings) ?? []
        origin = try values.decodeIfPresent(ModelOrigin.self, forKey: .origin)
        head = try values.decodeIfPresent(String.self, forKey: .head)
    }
}

/// One task checkpoint θf(i), its validation set and its settings.
package struct TaskSource: Codable, Hashable, Sendable {
    package var name: String
    package var directory: String
    package var files: [SourceFile]
    /// SHA-256 over the sorted (name, sha256) pairs of `files`: the version of the task.
    package var digest: String
    package var settings: TaskSettings
    /// What admission took with a reservation, such as another chat template than the base's; each one line.
    package var warnings: [String]
    /// Where the examples came as a table: the tensors made of them. What they are follows from the files of task and
    /// base, so that it is not in `digest`.
    package var examples: EncodedExamples?

    package init(
        name: String, directory: String, files: [SourceFile], digest: String, settings: TaskSettings,
        warnings: [String] = [], examples: EncodedExamples? = nil
    ) {
        self.name = name
        self.directory = directory
        self.files = files
        self.digest = digest
        self.settings = settings
        self.warnings = warnings
        self.examples = examples
    }

    /// A key that another version of the program did not write has its default.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        directory = try values.decode(String.self, forKey: .directory)
        files = try values.decode([SourceFile].self, forKey: .files)
        digest = try values.decode(String.self, forKey: .digest)
        settings = try values.decode(TaskSettings.self, forKey: .settings)
        warnings = try values.decodeIfPresent([String].self, forKey: .warnings) ?? []
        examples = try values.decodeIfPresent(EncodedExamples.self, forKey: .examples)
    }
}

/// The release that is deployed while a candidate is made.
package struct DeployedSource: Codable, Hashable, Sendable {
    package var version: Int
    package var directory: String
    /// What its `release.json` says that a merge after it goes by; nil where that can't be read: nothing is then taken
    /// over.
    package var record: DeployedRecord?

    package init(version: Int, directory: String, record: DeployedRecord?) {
        self.version = version
        self.directory = directory
        self.record = record
    }

    /// A release with its record.
    package init(_ record: ReleaseRecord, directory: String) {
        self.init(version: record.version, directory: directory, record: DeployedRecord(record))
    }
}

/// The part of a release's record that the next merge starts from.
package struct DeployedRecord: Codable, Hashable, Sendable {
    /// A task's name and the digest of its files.
    package struct Task: Codable, Hashable, Sendable {
        package var name: String
        package var digest: String
    }

    /// Digest of the base.
    package var base: String
    /// In the order of the coefficients.
    package var tasks: [Task]
    /// With what `auto` became.
    package var settings: ResolvedSettings
    package var similarities: [TaskSimilarity]

    package init(_ record: ReleaseRecord) {
        base = record.base.digest
        tasks = record.tasks.map { Task(name: $0.name, digest: $0.digest) }
        settings = record.resolvedSettings
        similarities = record.result.similarities
    }

    /// Name → digest.
    package var digests: [String: String] { Dictionary(tasks.map { ($0.name, $0.digest) }) { first, _ in first } }
}
