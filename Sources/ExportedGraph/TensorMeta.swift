/// What the archive says about a tensor.
package struct TensorMeta: Hashable, Sendable {
    /// PyTorch's name of the element type.
    package var dtype: String
    /// Nil where the axis is symbolic.
    package var shape: [Int?]
    package var strides: [Int?]
    package var storageOffset: Int?

    /// A type alone, for a value that lies in no archive.
    package init(dtype: String, shape: [Int?]) {
        self.dtype = dtype
        self.shape = shape
        strides = []
    }
}

extension TensorMeta: Decodable {
    private enum CodingKeys: String, CodingKey {
        case dtype, sizes, strides, storageOffset = "storage_offset"
    }

    /// A length that is known, or an expression of symbols.
    private struct Length: Decodable {
        var value: Int?

        init(from decoder: any Decoder) throws {
            let union = try Union(decoder)
            value = union.kind == "as_int" ? try union.decode(Int.self) : nil
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        dtype = ElementType.name(try container.decode(Int.self, forKey: .dtype))
        shape = try container.decode([Length].self, forKey: .sizes).map(\.value)
        strides = try container.decode([Length].self, forKey: .strides).map(\.value)
        storageOffset = try container.decode(Length.self, forKey: .storageOffset).value
    }
}
