package import Files
internal import Glibc

/// A model's weights in a folder: `model.safetensors`, or shards with `model.safetensors.index.json`. Tensors have the
/// names of today, whatever older ones the files give them.
package final class Checkpoint: Sendable {
    package static let weightsName = ShardIndex.singleName
    package static let indexName = ShardIndex.fileName

    /// The open files, in the order of their names.
    package let files: [SafetensorsFile]
    /// Names of the files relative to the folder, the index among them.
    package let fileNames: [String]
    /// Every tensor's name, sorted.
    package let names: [String]
    private let holders: [String: Int]
    /// Names that stand for another one of this checkpoint.
    private let aliases: [String: String]
    /// What the files call a tensor that has another name here.
    private let stored: [String: String]
    /// Tensors that have the base's rows here, by name.
    let fittedRows: [String: FittedRows]
    /// Names in the files of tensors that are left out.
    private let omitted: Set<String>
    /// Tensors that the index names and no shard holds, by their names here, sorted.
    package let absent: [String]

    /// Opens the weights in `directory`. Every shard of the index must be there, every tensor in just one of them and
    /// in the index. Links may not lead out of `root`, which is `directory` itself or a folder above it; default:
    /// `directory`. With `/` as the root every link is followed. `allowsAbsent`: whether the index may name tensors
    /// that no shard holds, as it does of tied ones that were left out after it was made.
    package init(directory: String, root: String? = nil, allowsAbsent: Bool = false) throws(SafetensorsError) {
        let folder = Folder(directory: directory, root: root)
        let single = try folder.openIfPresent(ShardIndex.singleName)
        let indexFile = try folder.openIfPresent(ShardIndex.fileName)
        switch (single, indexFile) {
        case (nil, nil):
            let isThere = try SafetensorsError.wrapping { () throws(FilesError) in
                try FileStatus.ifPresent(directory, followingLinks: true) != nil
            }
            throw .missing(
                path: directory,
                reason: isThere
                    ? "no \(ShardIndex.singleName) and no \(ShardIndex.fileName); put the model's weights there"
                    : "there is no such folder; check the path")
        case (.some, .some):
            throw .malformed(
                path: directory,
                reason: "both \(ShardIndex.singleName) and \(ShardIndex.fileName) are there; remove the stale one")
        case (let single?, nil):
            files = [try SafetensorsFile(file: single)]
            fileNames = [ShardIndex.singleName]
            absent = []
        case (nil, let indexFile?):
            let index = try Self.index(indexFile)
            let files = try folder.shards(of: index)
            let held = Set(files.flatMap { $0.entries.map(\.name) })
            absent = index.weightMap.keys.filter { !held.contains($0) }.sorted()
            if let first = absent.first, !allowsAbsent {
                throw .malformed(path: directory, reason: "tensor \(quoted(first)) of the index is in no shard")
            }
            self.files = files
            fileNames = index.shards + [ShardIndex.fileName]
        }
        var holders: [String: Int] = [:]
        holders.reserveCapacity(files.reduce(0) { $0 + $1.entries.count })
        for (place, file) in files.enumerated() {
            for entry in file.entries { holders[entry.name] = place }
        }
        stored = Self.renewNames(of: &holders)
        self.holders = holders
        names = holders.keys.sorted()
        aliases = [:]
        fittedRows = [:]
        omitted = []
    }

    /// The tensors of one file, which is called `name`.
    package init(_ file: SafetensorsFile, name: String) {
        files = [file]
        fileNames = [name]
        var holders = Dictionary(file.entries.map { ($0.name, 0) }) { first, _ in first }
        stored = Self.renewNames(of: &holders)
        self.holders = holders
        names = holders.keys.sorted()
        aliases = [:]
        fittedRows = [:]
        omitted = []
        absent = []
    }

    /// Some tensors of one file under other names, by these: `stored` has the names in the file.
    package init(_ file: SafetensorsFile, fileNames: [String], stored: [String: String]) {
        files = [file]
        self.fileNames = fileNames
        names = stored.keys.sorted()
        holders = stored.mapValues { _ in 0 }
        aliases = [:]
        self.stored = stored
        fittedRows = [:]
        omitted = []
        absent = []
    }

    /// Whether `directory` holds weights, whole or not: `model.safetensors` or the index of shards.
    package static func isPresent(directory: String) -> Bool {
        [ShardIndex.singleName, ShardIndex.fileName].contains { name in
            (try? FileStatus.ifPresent("\(directory)/\(name)")) != .some(nil)
        }
    }

    private init(_ other: Checkpoint, aliases: [String: String]? = nil, fittedRows: [String: FittedRows]? = nil) {
        files = other.files
        fileNames = other.fileNames
        names = other.names
        holders = other.holders
        self.aliases = aliases ?? other.aliases
        stored = other.stored
        self.fittedRows = fittedRows ?? other.fittedRows
        omitted = other.omitted
        absent = other.absent
    }

    /// The same checkpoint, in which these tensors have the base's rows.
    func fitting(_ rows: [String: FittedRows]) -> Checkpoint { Checkpoint(self, fittedRows: rows) }

    /// The same checkpoint without the tensors of these names.
    package func omitting(_ isOmitted: (String) -> Bool) -> Checkpoint {
        let left = Set(names.filter(isOmitted))
        return left.isEmpty ? self : Checkpoint(self, omitting: left)
    }

    private init(_ other: Checkpoint, omitting left: Set<String>) {
        files = other.files
        fileNames = other.fileNames
        names = other.names.filter { !left.contains($0) }
        holders = other.holders.filter { !left.contains($0.key) }
        aliases = other.aliases
        stored = other.stored.filter { !left.contains($0.key) }
        fittedRows = other.fittedRows
        omitted = other.omitted.union(left.map(other.storedName))
        absent = other.absent
    }

    /// Gives tensors with older names those of today. Returns what the files call them, by these.
    private static func renewNames(of holders: inout [String: Int]) -> [String: String] {
        var stored: [String: String] = [:]
        for (old, name) in LegacyNames.renamed(among: holders.keys) {
            holders[name] = holders.removeValue(forKey: old)
            stored[name] = old
        }
        return stored
    }

    /// What its files call one of its tensors.
    package func storedName(_ name: String) -> String { stored[name] ?? name }

    /// The name with the older ending that its files give it, where they do, but as it is here in what stands before.
    package func olderName(_ name: String) -> String { LegacyNames.asStored(name, storedName(name)) }

    /// The same tensors, each called what `rename` makes of its name; nil where two would be called the same.
    package func renaming(_ rename: (String) -> String) -> Checkpoint? {
        var renamed: [String: String] = [:]
        for name in names where renamed.updateValue(name, forKey: rename(name)) != nil { return nil }
        return Checkpoint(self, renamed: renamed, absent: absent.map(rename).sorted())
    }

    private init(_ other: Checkpoint, renamed: [String: String], absent: [String]) {
        files = other.files
        fileNames = other.fileNames
        names = renamed.keys.sorted()
        holders = renamed.compactMapValues { other.holders[$0] }
        aliases = [:]
        stored = renamed.mapValues { other.stored[$0] ?? $0 }
        fittedRows = [:]
        omitted = other.omitted
        self.absent = absent
    }

    /// The same checkpoint, in which every name of a group finds a tensor as soon as one of them does: tied weights are
    /// saved under any of their names, or under several. A name that is there itself stays what it is; `names` does
    /// too.
    package func tying(_ groups: [[String]]) -> Checkpoint {
        var aliases: [String: String] = [:]
        for group in groups {
            guard let present = group.first(where: { holders[$0] != nil }) else { continue }
            for name in group where holders[name] == nil { aliases[name] = present }
        }
        return Checkpoint(self, aliases: aliases)
    }

    /// The tensor of that name, or the one that it is tied to. One that has the base's rows here has a range of bytes
    /// that is not the file's.
    package func entry(_ name: String) -> TensorEntry? { fittedRows[aliases[name] ?? name]?.entry ?? storedEntry(name) }

    /// Bytes of its files.
    package var size: Int64 { files.reduce(0) { $0 + $1.file.size } }

    /// Whether the bytes of its entry are those in the file.
    package func isStored(_ name: String) -> Bool { fittedRows[aliases[name] ?? name] == nil }

    /// The tensor as it is in its file.
    func storedEntry(_ name: String) -> TensorEntry? {
        let own = aliases[name] ?? name
        guard let place = holders[own] else { return nil }
        guard let stored = stored[own] else { return files[place].entry(own) }
        var entry = files[place].entry(stored)
        entry?.name = own
        return entry
    }

    /// The tensors of one of its files, in the order of their bytes, by their names here.
    package func entries(of file: SafetensorsFile) -> [TensorEntry] {
        guard !stored.isEmpty || !omitted.isEmpty else { return file.entries }
        let names = Dictionary(stored.map { ($0.value, $0.key) }) { first, _ in first }
        return file.entries.filter { !omitted.contains($0.name) }.map { entry in
            var entry = entry
            entry.name = names[entry.name] ?? entry.name
            return entry
        }
    }

    /// The file that holds the named tensor.
    package func file(of name: String) -> SafetensorsFile? { holders[aliases[name] ?? name].map { files[$0] } }

    /// Fills `buffer` with bytes of the named tensor, beginning `offset` bytes into it.
    package func read(
        _ name: String, at offset: Int64 = 0, into buffer: UnsafeMutableRawBufferPointer
    ) throws(SafetensorsError) {
        if let rows = fittedRows[aliases[name] ?? name] { return unsafe try read(rows, at: offset, into: buffer) }
        guard let file = file(of: name), let entry = storedEntry(name) else {
            throw .missing(
                path: files.first?.file.path ?? name, reason: "the checkpoint has no tensor \(quoted(name))")
        }
        unsafe try file.read(entry, at: offset, into: buffer)
    }

    /// The file of a tensor and where its bytes lie there; nil where it has none as they are.
    package func location(of name: String) -> (file: ReadableFile, bytes: Range<Int64>)? {
        guard isStored(name), let file = file(of: name), let entry = storedEntry(name) else { return nil }
        return (file.file, entry.bytes)
    }

    private static func index(_ file: ReadableFile) throws(SafetensorsError) -> ShardIndex {
        let bytes = try SafetensorsError.wrapping { () throws(FilesError) in
            try file.contents(limit: ShardIndex.maximumLength)
        }
        do throws(JSONCursor.Fault) {
            return try ShardIndex(bytes)
        } catch {
            if error.endsEarly { throw .truncated(path: file.path, reason: error.reason) }
            throw .malformed(path: file.path, reason: error.reason)
        }
    }
}

/// Where the files of a checkpoint are opened from.
private struct Folder {
    let directory: String
    let root: String?

    func openIfPresent(_ name: String) throws(SafetensorsError) -> ReadableFile? {
        do throws(FilesError) {
            return try ReadableFile(name: name, directory: directory, root: root)
        } catch {
            if error.errno == ENOENT { return nil }
            throw .file(error)
        }
    }

    /// Opens every shard and checks that its tensors are in the index.
    func shards(of index: ShardIndex) throws(SafetensorsError) -> [SafetensorsFile] {
        var files: [SafetensorsFile] = []
        for shard in index.shards {
            guard let opened = try openIfPresent(shard) else {
                throw .missing(
                    path: "\(directory)/\(shard)", reason: "a shard of the index is not there; copy it too")
            }
            let file = try SafetensorsFile(file: opened)
            for entry in file.entries {
                guard let expected = index.weightMap[entry.name] else {
                    throw .malformed(path: opened.path, reason: "tensor \(quoted(entry.name)) is not in the index")
                }
                guard expected == shard else {
                    throw .malformed(
                        path: opened.path, reason: "tensor \(quoted(entry.name)) belongs into \(quoted(expected))")
                }
            }
            files.append(file)
        }
        return files
    }
}
