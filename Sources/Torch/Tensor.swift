/// A handle on a libtorch tensor; `deinit` gives the reference back. Not `Sendable`: one actor owns the tensors.
package final class Tensor {
    /// Uninitialised, contiguous, on the CPU.
    package init(empty shape: [Int], _ dtype: DType = .float32) throws { fatalError() }
    package convenience init(_ values: [Float], shape: [Int]) throws { fatalError() }
    package convenience init(_ values: [Int64], shape: [Int]) throws { fatalError() }

    package var shape: [Int] { fatalError() }
    package var dtype: DType { fatalError() }
    package var elementCount: Int { fatalError() }

    /// The elements as bytes, in place. The tensor must be contiguous and on the CPU.
    package func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) throws -> R { fatalError() }
    /// A copy of the elements, converted.
    package func floats() throws -> [Float] { fatalError() }
    package func integers() throws -> [Int64] { fatalError() }
    /// The value of a tensor with one element.
    package func item() throws -> Double { fatalError() }
    package func to(_ dtype: DType) throws -> Tensor { fatalError() }

    /// Calls any operator of libtorch's dispatcher by name (`aten::add`, overload `Tensor`); missing trailing arguments
    /// take their schema's defaults. Throws `TorchError`.
    package static func call(_ name: String, _ overload: String = "", _ arguments: [Argument]) throws -> [Tensor] { fatalError() }

    package enum Argument {
        case tensor(Tensor), tensors([Tensor]), optionalTensor(Tensor?), int(Int), ints([Int]), double(Double), bool(Bool)
        case string(String), dtype(DType), none
    }
}
