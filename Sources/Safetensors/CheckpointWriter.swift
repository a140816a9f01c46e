/// Writes a model as `model.safetensors`, or as shards of at most `shardBytes` with their index, in the Hugging Face layout.
package final class CheckpointWriter {
    package struct Output: Hashable, Sendable {
        package var name: String
        package var bytes: Int64
        package var sha256: String
    }

    /// Tensors are then appended whole and in this order.
    package init(directory: String, slots: [SafetensorsWriter.Slot], shardBytes: Int64 = 5_000_000_000) throws(SafetensorsError) {
        fatalError()
    }
    package func append(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) { fatalError() }
    package func finish() throws(SafetensorsError) -> [Output] { fatalError() }
}
