/// Writes a safetensors file front to back: header first, then each tensor's bytes in the order of the entries.
package final class SafetensorsWriter {
    /// Shape and type of a tensor to come.
    package struct Slot: Hashable, Sendable {
        package var name: String
        package var dtype: SafetensorsDType
        package var shape: [Int]

        package init(name: String, dtype: SafetensorsDType, shape: [Int]) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
        }
    }

    /// Creates `path` (it must not exist) and writes the header, 8-byte aligned, metadata `{"format":"pt"}`.
    package init(path: String, slots: [Slot], metadata: [String: String] = ["format": "pt"]) throws(SafetensorsError) { fatalError() }

    /// Appends the next bytes; a tensor may come in pieces.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) { fatalError() }

    /// Checks that every announced byte has come, closes, and returns length and SHA-256 (computed on the way).
    package func finish() throws(SafetensorsError) -> (bytes: Int64, sha256: String) { fatalError() }
}
