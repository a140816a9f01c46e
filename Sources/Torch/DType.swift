/// Element types of tensors; raw values are PyTorch's names.
package enum DType: String, Hashable, Sendable, CaseIterable {
    case bool, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64

    package var byteCount: Int { fatalError() }
    package var isFloatingPoint: Bool { fatalError() }
}
