internal import Files
internal import Foundation
internal import Safetensors
package import WorkerProtocol

/// The content of a release directory, published or written by `supermerge merge --output`.
package enum ReleaseContents {
    static let recordName = "release.json"
    static let cardName = "README.md"
    static let reportName = "report.html"
    /// Files that describe a release; a rollback gets new ones.
    private static let pages: Set = [cardName, reportName, BillOfMaterials.fileName, Provenance.fileName]

    /// Completes a directory that holds a merge's outputs: copies the base's files by allow-list, writes README.md,
    /// report.html, bom.cdx.json, provenance.json, and last release.json, whose outputs then name every other
    /// file. Returns the record as written.
    ///
    /// `previous` and `events` are for the report: the release that was deployed, and what was refused since.
    ///
    /// Throws `ReleasesError` where an output is missing or of another length, where a file is there that nobody
    /// announced, where a base file names code (`auto_map`) or is not the one that was admitted; `SafetensorsError`
    /// where the model can't be read back. Links among the base's files may not lead out of `root` (default:
    /// `baseDirectory`; `/`: any are followed).
    @discardableResult
    package static func complete(
        directory: String, baseDirectory: String, record: ReleaseRecord, root: String? = nil,
        previous: ReleaseRecord? = nil, events: [ReportedEvent]? = nil
    ) throws -> ReleaseRecord {
        var record = record
        try check(record.result.outputs, in: directory)
        _ = try Checkpoint(directory: directory)
        record.result.outputs += try BaseCopy(directory: baseDirectory, root: root, admitted: record.base.files)
            .copy(to: directory)
        try writePagesAndRecord(&record, in: directory, previous: previous, events: events)
        return record
    }

    /// Fills the empty `directory` with the content of `release` by hard links; only README.md, report.html,
    /// bom.cdx.json, provenance.json and release.json are new.
    static func repeatContent(
        of release: Release, in directory: String, record: ReleaseRecord, previous: ReleaseRecord?,
        events: [ReportedEvent]?
    ) throws -> ReleaseRecord {
        var record = record
        record.result.outputs.removeAll { pages.contains($0.name) }
        for output in record.result.outputs {
            let source = "\(release.directory)/\(output.name)"
            guard isPlain(output.name), try FileStatus.ifPresent(source)?.identity.size == output.bytes else {
                throw ReleasesError.badRecord(
                    path: release.directory, reason: "\(output.name) is missing or has another length")
            }
            let folders = output.name.pathNames.dropLast()
            if !folders.isEmpty {
                try Durable.createDirectories("\(directory)/\(folders.joined(separator: "/"))")
            }
            try Durable.link(source, to: "\(directory)/\(output.name)")
        }
        try writePagesAndRecord(&record, in: directory, previous: previous, events: events)
        return record
    }

    /// See `Release.digest`.
    static func digest(of outputs: [SourceFile]) -> String {
        Digest.manifest(outputs.map { ($0.name, $0.sha256) })
    }

    private static func writePagesAndRecord(
        _ record: inout ReleaseRecord, in directory: String, previous: ReleaseRecord?, events: [ReportedEvent]?
    ) throws {
        let card = ModelCard(record: record, directory: directory)
        try writePage(cardName, Array(card.text.utf8), &record, in: directory)
        let report = ReleaseReport(record: record, previous: previous, events: events)
        try writePage(reportName, Array(report.html.utf8), &record, in: directory)
        try writePage(BillOfMaterials.fileName, BillOfMaterials.bytes(record), &record, in: directory)
        try writePage(Provenance.fileName, Provenance.bytes(record), &record, in: directory)
        record.result.outputs.sort { $0.name < $1.name }
        try write(Array(JSON.encode(record, pretty: true)) + [UInt8(ascii: "\n")], to: "\(directory)/\(recordName)")
    }

    private static func writePage(
        _ name: String, _ page: [UInt8], _ record: inout ReleaseRecord, in directory: String
    ) throws {
        try write(page, to: "\(directory)/\(name)")
        record.result.outputs.append(SourceFile(name: name, bytes: Int64(page.count), sha256: Digest.sha256(page)))
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let file = try WritableFile(creating: path)
        try file.append(bytes)
        try file.finish(sync: false)
    }

    /// Checks that the directory holds exactly the recorded outputs, each with its recorded length.
    private static func check(_ outputs: [SourceFile], in directory: String) throws {
        var found = Dictionary(try walk(directory), uniquingKeysWith: { first, _ in first })
        for output in outputs {
            guard isPlain(output.name), let status = found.removeValue(forKey: output.name) else {
                throw ReleasesError.badCandidate(path: directory, reason: "\(output.name) is missing or named twice")
            }
            guard status.kind == .regular, status.identity.size == output.bytes else {
                throw ReleasesError.badCandidate(
                    path: "\(directory)/\(output.name)", reason: "\(output.bytes) bytes were announced")
            }
            if output.name.pathNames.count == 1, output.name.ends(in: ".safetensors"), !isModelFile(output.name) {
                throw ReleasesError.badCandidate(
                    path: "\(directory)/\(output.name)", reason: "servers would load it beside the model")
            }
        }
        if let extra = found.keys.min() {
            throw ReleasesError.badCandidate(path: "\(directory)/\(extra)", reason: "nobody announced this file")
        }
    }

    /// Whether a relative name stays inside its directory.
    private static func isPlain(_ name: String) -> Bool {
        !name.utf8.contains(0)
            && name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
                .allSatisfy { !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
    }

    private static func isModelFile(_ name: String) -> Bool {
        name == "model.safetensors" || name.wholeMatch(of: /model-[0-9]{5,}-of-[0-9]{5,}\.safetensors/) != nil
    }
}
