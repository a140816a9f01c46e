internal import ExportedGraph
package import ExportedModel
internal import Torch

/// Bytes of the values that a compiled graph computes for one batch, from the graph's own description: nothing is run.
package struct ValueSizes {
    /// By slot; 0 for numbers and views, whose memory is another slot's.
    let bytes: [Int: Int64]

    /// `batch` is the length of a value's first free axis, `length` that of any other.
    package init(_ model: ExportedModel, batch: Int, length: Int) {
        var bytes: [Int: Int64] = [:]
        for slot in Set(model.instructions.flatMap(\.writes)) where model.storageSlot(of: slot) == slot {
            guard let type = model.type(of: slot) else { continue }
            bytes[slot] = Self.bytes(type, batch: batch, length: length)
        }
        self.bytes = bytes
    }

    private static func bytes(_ type: TensorMeta, batch: Int, length: Int) -> Int64 {
        var lengths = type.shape.map { $0 ?? length }
        if let first = type.shape.firstIndex(where: { $0 == nil }) { lengths[first] = batch }
        return lengths.reduce(Int64(DType(rawValue: type.dtype)?.byteCount ?? 4)) { product, length in
            let (next, overflow) = product.multipliedReportingOverflow(by: Int64(length))
            return overflow ? .max / 1024 : next
        }
    }
}
