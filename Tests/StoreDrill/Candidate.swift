import Files
import WorkerProtocol

/// A merge's outputs as a worker leaves them: one tensor, all of whose elements are `value`.
struct Candidate {
    let value: UInt8
    let created: String
    let base: String

    /// A safetensors file of 20,000 bytes of weights.
    static func file(_ value: UInt8) -> [UInt8] {
        let text = #"{"__metadata__":{"format":"pt"},"w":{"dtype":"U8","shape":[20000],"data_offsets":[0,20000]}}"#
        let header = Array(text.utf8) + Array(repeating: UInt8(ascii: " "), count: (8 - text.utf8.count % 8) % 8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        return length + header + [UInt8](repeating: value, count: 20_000)
    }

    /// Writes the files and gives the record of their release.
    func write(to directory: String) throws -> ReleaseRecord {
        var result = MergeResult(tasks: [])
        for name in ["model.safetensors", "heads/amber.safetensors"] {
            if name.contains("/") { try Durable.createDirectories(directory + "/heads") }
            let bytes = Self.file(value)
            let file = try WritableFile(creating: "\(directory)/\(name)")
            try file.append(bytes)
            try file.finish(sync: false)
            result.outputs.append(SourceFile(name: name, bytes: Int64(bytes.count), sha256: Digest.sha256(bytes)))
        }
        return ReleaseRecord(
            version: 0, created: created, merge: "merge-\(value)", settings: MergeSettings(),
            base: BaseSource(directory: base, files: [], digest: "b"), tasks: [], result: result)
    }
}
