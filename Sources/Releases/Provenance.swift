internal import Files
internal import Foundation
internal import Signing
internal import WorkerProtocol

/// The SLSA provenance of a release (https://slsa.dev/provenance/v1), an in-toto statement written from the release's
/// record: which inputs, by their digests, which settings and which programs made its files, and when.
struct Provenance: Codable {
    struct Definition: Codable {
        struct Parameters: Codable {
            var settings: MergeSettings
            /// Task → its settings.
            var tasks: [String: TaskSettings]
            /// The release whose content this one repeats.
            var rollbackOf: Int?
        }

        struct Internal: Codable { var release: Int }

        struct Dependency: Codable {
            /// `base/FILE`, `tasks/TASK/FILE`, or the name of a program.
            var name: String
            var digest: [String: String]
        }

        var buildType = "urn:supermerged:merge:v1"
        var externalParameters: Parameters
        var internalParameters: Internal
        var resolvedDependencies: [Dependency]
    }

    struct Run: Codable {
        struct Builder: Codable {
            var id = "urn:supermerged:worker"
            var version: [String: String]
        }

        struct Metadata: Codable {
            var invocationId: String
            var startedOn: String?
            var finishedOn: String
        }

        var builder: Builder
        var metadata: Metadata
    }

    static let fileName = "provenance.json"
    static let predicateType = "https://slsa.dev/provenance/v1"

    var buildDefinition: Definition
    var runDetails: Run

    init(_ record: ReleaseRecord) {
        let inputs =
            record.base.files.map { ("base/\($0.name)", $0.sha256) }
            + record.tasks.flatMap { task in task.files.map { ("tasks/\(task.name)/\($0.name)", $0.sha256) } }
            + record.result.programs.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let settings = record.tasks.map { ($0.name, $0.settings) }
        buildDefinition = Definition(
            externalParameters: .init(
                settings: record.settings, tasks: Dictionary(settings) { first, _ in first },
                rollbackOf: record.rollbackOf),
            internalParameters: .init(release: record.version),
            resolvedDependencies: inputs.map { .init(name: $0, digest: ["sha256": $1]) })
        runDetails = Run(
            builder: .init(version: record.result.versions),
            metadata: .init(
                invocationId: record.merge, startedOn: record.result.started, finishedOn: record.created))
    }

    /// The statement about the record's outputs, as the bytes of a file.
    static func bytes(_ record: ReleaseRecord) throws -> [UInt8] {
        let statement = Statement(
            record.result.outputs.sorted { $0.name < $1.name }.map { .init(name: $0.name, sha256: $0.sha256) },
            predicateType: predicateType, predicate: Provenance(record))
        return try SignedStatement.bytes(of: statement, pretty: true) + [UInt8(ascii: "\n")]
    }
}
