/// Where the archive keeps a weight, buffer or constant.
package struct StoredTensor: Hashable, Sendable {
    package var meta: TensorMeta
    /// Tensors of the same storage have the same name: tied weights.
    package var storage: String

    package init(meta: TensorMeta, storage: String) {
        self.meta = meta
        self.storage = storage
    }
}

extension StoredTensor: Decodable {
    private enum CodingKeys: String, CodingKey {
        case meta = "tensor_meta"
        case storage = "path_name"
    }

    /// Everything that PyTorch stores besides tensors (torch script objects, opaque ones) has no metadata and no use
    /// here.
    struct Index: Decodable {
        var config: [String: Entry]
    }

    struct Entry: Decodable {
        var tensor: StoredTensor?
        var usesPickle: Bool

        private enum CodingKeys: String, CodingKey {
            case meta = "tensor_meta"
            case usesPickle = "use_pickle"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            usesPickle = try container.decodeIfPresent(Bool.self, forKey: .usesPickle) ?? false
            let hasMeta = try container.decodeIfPresent(TensorMeta.self, forKey: .meta) != nil
            tensor = hasMeta ? try StoredTensor(from: decoder) : nil
        }
    }
}
