/// A model's weights in a folder: `model.safetensors`, or shards with `model.safetensors.index.json`.
package final class Checkpoint: Sendable {
    /// Every tensor with the file that holds it, in the order of their names.
    package let files: [SafetensorsFile]

    /// Opens the shards of `directory`. Every shard of the index must be there, every tensor in just one of them.
    package init(directory: String) throws(SafetensorsError) { fatalError() }

    /// Names of the files relative to the folder, the index among them.
    package var fileNames: [String] { fatalError() }
    /// Every tensor's name, sorted.
    package var names: [String] { fatalError() }
    package func entry(_ name: String) -> TensorEntry? { fatalError() }
    /// Fills `buffer` with bytes of the named tensor, beginning `offset` bytes into it.
    package func read(_ name: String, at offset: Int64 = 0, into buffer: UnsafeMutableRawBufferPointer) throws(SafetensorsError) {
        fatalError()
    }
}
