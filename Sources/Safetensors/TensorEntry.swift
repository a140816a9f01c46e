/// One tensor of a safetensors header.
package struct TensorEntry: Hashable, Sendable {
    package var name: String
    package var dtype: SafetensorsDType
    package var shape: [Int]
    /// Where its bytes lie, from the start of the file.
    package var bytes: Range<Int64>

    package init(name: String, dtype: SafetensorsDType, shape: [Int], bytes: Range<Int64>) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.bytes = bytes
    }

    package var elementCount: Int { shape.reduce(1, *) }
}
