internal import Files
package import Safetensors

extension ExportedGraph {
    /// The archive's own parameters, read in place under all their names; nil where it carries none. They serve as the
    /// base where no safetensors stand beside the archive.
    package func checkpoint() throws -> Checkpoint? {
        let names = signature.parameters.flatMap { [$0.name] + $0.aliases }
        let entries = try names.compactMap { try entry($0) }
        guard let archive, !entries.isEmpty else { return nil }
        let file = try SafetensorsFile(file: archive.file, entries: entries)
        return Checkpoint(file, name: path.pathNames.last ?? path)
    }

    private func entry(_ name: String) throws(GraphError) -> TensorEntry? {
        guard let tensor = stored[name], let place = storages[tensor.storage] else { return nil }
        let shape = tensor.meta.shape.compactMap { $0 }
        guard let dtype = Self.types[tensor.meta.dtype], shape.count == tensor.meta.shape.count,
            tensor.meta.isContiguous
        else {
            throw .unsupported(
                path: path, reason: "its weight '\(name)' does not lie in one piece; put model.safetensors beside it")
        }
        let malformed = GraphError.malformed(path: path, reason: "weight '\(name)' lies outside its storage")
        var length = dtype.byteCount
        for axis in shape {
            let (product, overflows) = length.multipliedReportingOverflow(by: axis)
            guard axis >= 0, !overflows else { throw malformed }
            length = product
        }
        let (offset, overflows) = (tensor.meta.storageOffset ?? 0).multipliedReportingOverflow(by: dtype.byteCount)
        guard !overflows, offset >= 0, offset <= place.size, length <= place.size - offset else { throw malformed }
        let start = Int64(place.offset + offset)
        return TensorEntry(name: name, dtype: dtype, shape: shape, bytes: start..<start + Int64(length))
    }

    private static let types: [String: SafetensorsDType] = [
        "bool": .bool, "uint8": .u8, "int8": .i8, "int16": .i16, "int32": .i32, "int64": .i64, "float16": .f16,
        "bfloat16": .bf16, "float32": .f32, "float64": .f64,
    ]
}

extension TensorMeta {
    /// Whether the elements lie one after another, the last axis fastest. The stride of an axis of length 1 says
    /// nothing.
    fileprivate var isContiguous: Bool {
        guard strides.count == shape.count else { return false }
        var expected = 1
        for (length, stride) in zip(shape, strides).reversed() {
            guard let length, let stride, length == 1 || stride == expected else { return length == 0 }
            let (product, overflows) = expected.multipliedReportingOverflow(by: length)
            guard !overflows else { return false }
            expected = product
        }
        return true
    }
}
