import Safetensors
import Torch

/// A floating-point type that a fixture in float32 is converted to, by PyTorch's own rounding.
enum SafetensorsDTypeCase: CaseIterable {
    case bf16, f16, f64

    var dtype: SafetensorsDType {
        switch self {
        case .bf16: .bf16
        case .f16: .f16
        case .f64: .f64
        }
    }

    /// How far a loss may be from that of float32, relative to it.
    var tolerance: Double {
        switch self {
        case .bf16: 0.1
        case .f16: 0.02
        case .f64: 1e-4
        }
    }

    func content(_ values: [Float], shape: [Int]) throws -> ModelFolder.Content {
        let types: [SafetensorsDType: DType] = [.bf16: .bfloat16, .f16: .float16, .f64: .float64]
        let tensor = try Tensor(values, shape: shape).to(types[dtype] ?? .float32)
        return ModelFolder.Content(dtype, shape, try tensor.withUnsafeMutableBytes { Array($0) })
    }
}
