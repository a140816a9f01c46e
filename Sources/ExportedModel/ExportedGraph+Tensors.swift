import ExportedGraph
import Torch

extension ExportedGraph {
    /// What the graph says about one of its inputs.
    func slot(_ input: GraphInput) throws -> GraphSignature.Slot {
        let declared = signature.parameters + signature.buffers + signature.inputs
        if let slot = declared.first(where: { $0.name == input.name }) { return slot }
        guard let value = input.value, let meta = body.tensors[value] else {
            throw ExportedModelError.malformed(node: input.name, reason: "its type is not told")
        }
        return GraphSignature.Slot(name: input.name, dtype: meta.dtype, shape: meta.shape, aliases: [])
    }

    /// A weight, buffer or constant out of the archive's bytes, contiguous; nil where the archive does not carry it.
    func tensor(_ name: String) throws -> Tensor? {
        guard let meta = stored[name]?.meta, let bytes = try storage(name) else { return nil }
        let malformed = ExportedModelError.malformed(node: name, reason: "its place in the archive is impossible")
        let shape = meta.shape.compactMap { $0 }
        let strides = meta.strides.compactMap { $0 }
        guard let dtype = DType(rawValue: meta.dtype) else {
            throw ExportedModelError.unsupported(operator: meta.dtype, node: name)
        }
        guard shape.count == meta.shape.count, strides.count == shape.count, let offset = meta.storageOffset,
            bytes.count.isMultiple(of: dtype.byteCount),
            Self.fits(shape, strides, offset, count: bytes.count / dtype.byteCount)
        else { throw malformed }
        let storage = try Tensor(empty: [bytes.count / dtype.byteCount], dtype)
        try unsafe storage.withUnsafeMutableBytes { memory in
            unsafe bytes.withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
        }
        let view = try Tensor.one(
            "aten::as_strided", [.tensor(storage), .ints(shape), .ints(strides), .int(offset)])
        return try view.contiguous()
    }

    /// Whether every element lies inside a storage of `count` elements.
    private static func fits(_ shape: [Int], _ strides: [Int], _ offset: Int, count: Int) -> Bool {
        guard offset >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }) else { return false }
        if shape.contains(0) { return true }
        var last = offset
        var elements = 1
        for (length, stride) in zip(shape, strides) {
            let (reach, overflows) = (length - 1).multipliedReportingOverflow(by: stride)
            let (sum, sumOverflows) = last.addingReportingOverflow(reach)
            let (product, productOverflows) = elements.multipliedReportingOverflow(by: length)
            guard !overflows, !sumOverflows, !productOverflows else { return false }
            last = sum
            elements = product
        }
        return last < count && elements <= max(count, 1) * 64
    }
}
