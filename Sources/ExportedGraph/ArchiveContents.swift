internal import Files

/// The parts of an archive, decoded.
struct ArchiveContents {
    let model: SerializedModel
    /// By state-dict name.
    let stored: [String: StoredTensor]
    /// By the name of the storage.
    let storages: [String: ZipArchive.Entry]

    private static let jsonLimit = 512 << 20

    init(_ archive: ZipArchive) throws(GraphError) {
        let path = archive.file.path
        let models = archive.entries.values.filter { $0.name.isModel }
        guard let entry = models.first else {
            throw .malformed(path: path, reason: "it has no models/*.json")
        }
        guard models.count == 1 else {
            throw .unsupported(path: path, reason: "it has \(models.count) models instead of one")
        }
        let (root, modelName) = entry.name.modelPlace
        if let order = archive.entries[root + "byteorder"] {
            guard try archive.bytes(order, limit: 64) == Array("little".utf8) else {
                throw .unsupported(path: path, reason: "its byte order is not little")
            }
        }
        model = try Self.decode(SerializedModel.self, entry, archive)
        guard model.version == SerializedModel.understood else {
            throw .unsupported(
                path: path, reason: "its schema is version \(model.version), not \(SerializedModel.understood)")
        }
        guard model.inputs.count == model.body.inputs.count, model.outputs.count == model.body.outputs.count else {
            throw .malformed(path: path, reason: "the signature does not fit the graph")
        }
        var stored: [String: StoredTensor] = [:]
        var storages: [String: ZipArchive.Entry] = [:]
        for kind in ["weights", "constants"] {
            let folder = "\(root)data/\(kind)/"
            guard let index = archive.entries["\(folder)\(modelName)_\(kind)_config.json"] else { continue }
            for (name, item) in try Self.decode(StoredTensor.Index.self, index, archive).config {
                guard let tensor = item.tensor else { continue }
                stored[name] = tensor
                guard !item.usesPickle else { continue }
                storages[tensor.storage] = archive.entries[folder + tensor.storage]
            }
        }
        self.stored = stored
        self.storages = storages
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, _ entry: ZipArchive.Entry, _ archive: ZipArchive
    ) throws(GraphError) -> Value {
        let bytes = try archive.bytes(entry, limit: jsonLimit)
        do {
            return try JSONValue.decode(type, parsing: bytes, .python)
        } catch let error as GraphInput.Unsupported {
            throw .unsupported(path: archive.file.path, reason: "it has \(error.kind)")
        } catch let error as JSONCursor.Fault {
            throw .malformed(path: archive.file.path, reason: "\(entry.name): \(error.reason)")
        } catch let error as DecodingError {
            throw .malformed(path: archive.file.path, reason: "\(entry.name): \(error.place)")
        } catch {
            throw .malformed(path: archive.file.path, reason: "\(entry.name): \(error)")
        }
    }
}

extension String {
    /// Whether this is the name of an entry `…/models/….json`.
    fileprivate var isModel: Bool {
        let parts = split(separator: "/", omittingEmptySubsequences: false)
        return parts.count >= 2 && parts[parts.count - 2] == "models" && hasSuffix(".json")
    }

    /// The folder that the archive's entries share, with its slash, and the model's name.
    fileprivate var modelPlace: (root: String, name: String) {
        let parts = split(separator: "/", omittingEmptySubsequences: false)
        let root = parts.dropLast(2).map { "\($0)/" }.joined()
        return (root, String(parts[parts.count - 1].dropLast(".json".count)))
    }
}

extension DecodingError {
    /// What is wrong and where, in a line.
    fileprivate var place: String {
        let (context, what): (Context, String) =
            switch self {
            case .typeMismatch(_, let context): (context, context.debugDescription)
            case .valueNotFound(_, let context): (context, context.debugDescription)
            case .keyNotFound(let key, let context): (context, "'\(key.stringValue)' is missing")
            case .dataCorrupted(let context): (context, context.debugDescription)
            @unknown default: (Context(codingPath: [], debugDescription: ""), "it can't be decoded")
            }
        let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
        return path.isEmpty ? what : "\(what) at \(path)"
    }
}
