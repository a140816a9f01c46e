internal import Safetensors
internal import Torch

extension DType {
    /// What files call the type.
    var stored: SafetensorsDType {
        switch self {
        case .bool: .bool
        case .uint8: .u8
        case .int8: .i8
        case .int16: .i16
        case .int32: .i32
        case .int64: .i64
        case .float16: .f16
        case .bfloat16: .bf16
        case .float32: .f32
        case .float64: .f64
        }
    }

    /// Whether none of `count` elements is NaN or infinite. True for integers.
    func isFinite(_ bytes: UnsafeRawPointer, count: Int) -> Bool {
        unsafe !stored.hasNonFinite(UnsafeRawBufferPointer(start: bytes, count: count * byteCount))
    }
}
