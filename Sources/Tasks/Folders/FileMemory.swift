package import Files
import Foundation
import WorkerProtocol

/// What was read of each file, by its stamp, kept in a file across restarts. Garbage in that file means an empty
/// memory.
package struct FileMemory {
    private struct Content: Codable {
        var format: Int
        var files: [String: FileRecord]
    }

    private static let format = 3
    private let path: String
    private var records: [String: FileRecord] = [:]
    private var used: Set<String> = []
    private var isChanged = false

    /// One that is never kept.
    package init() { path = "" }

    package init(path: String) {
        self.path = path
        guard let bytes = try? Durable.contents(path),
            let content = try? JSONDecoder().decode(Content.self, from: Data(bytes)),
            content.format == Self.format
        else { return }
        records = content.files.filter { $0.value.sha256.utf8.count == 64 }
    }

    /// What is known of the file with this stamp.
    package mutating func record(_ stamp: String) -> FileRecord? {
        guard let record = records[stamp] else { return nil }
        used.insert(stamp)
        return record
    }

    /// The digest of a drop with these files, by what is known of them; nil where that is nothing.
    package func digest(_ files: [String: FileIdentity]) -> String? {
        let known = files.compactMap { name, identity in
            records[identity.description].map { SourceFile(name: name, bytes: identity.size, sha256: $0.sha256) }
        }
        return known.isEmpty ? nil : UploadReader.digest(known.sorted { $0.name < $1.name })
    }

    mutating func remember(_ record: FileRecord, for stamp: String) {
        used.insert(stamp)
        guard records[stamp] != record else { return }
        records[stamp] = record
        isChanged = true
    }

    /// Counts the files with these stamps as still there.
    package mutating func keep(_ stamps: some Sequence<String>) { used.formUnion(stamps) }

    /// Writes what was learned; with `forgettingRest` files that were not asked for since the last time are forgotten.
    /// A memory that can't be written costs only time at the next start.
    package mutating func save(forgettingRest: Bool) {
        if forgettingRest {
            let kept = records.filter { used.contains($0.key) }
            if kept.count != records.count {
                records = kept
                isChanged = true
            }
            used = []
        }
        guard isChanged else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let data = try? encoder.encode(Content(format: Self.format, files: records)),
            (try? Durable.replace(path, with: [UInt8](data))) != nil
        else { return }
        isChanged = false
    }
}
