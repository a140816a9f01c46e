package import Files

/// A safetensors file whose header has been checked: offsets contiguous, names unique, last offset = end of file.
package final class SafetensorsFile: Sendable {
    package let file: ReadableFile
    /// In the order of their bytes.
    package let entries: [TensorEntry]
    package let metadata: [String: String]

    /// Throws `SafetensorsError`; memory is bounded by the header, which is at most 100,000,000 bytes.
    package init(file: ReadableFile) throws(SafetensorsError) { fatalError() }

    package func entry(_ name: String) -> TensorEntry? { fatalError() }

    /// Fills `buffer` with bytes of tensor `entry`, beginning `offset` bytes into the tensor.
    package func read(_ entry: TensorEntry, at offset: Int64 = 0, into buffer: UnsafeMutableRawBufferPointer) throws(SafetensorsError) {
        fatalError()
    }
}
