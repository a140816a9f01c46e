import CTorch

/// A straight-line sequence of operator calls over numbered slots that runs in one call of C.
///
/// The first slots are the inputs of a run. What an instruction frees is gone after it, so that a run holds no more than
/// the values still needed (and what autograd keeps).
@safe package final class Program {
    /// An argument of an instruction.
    package indirect enum Operand: Hashable, Sendable {
        case none, `default`, slot(Int), int(Int), double(Double), bool(Bool), string(String), dtype(DType)
        case complex(Double, Double), list([Operand])
    }

    private let handle: OpaquePointer
    private let inputCount: Int
    private var outputCount = 0

    /// A program over `slots` slots, of which the first `inputs` are given to each run.
    package init(slots: Int, inputs: Int) throws(TorchError) {
        var result: OpaquePointer?
        try TorchError.check { error in
            unsafe ct_program_create(Int64(slots), Int64(inputs), &result, error)
        }
        guard let result = unsafe result else { throw TorchError("libtorch made no program") }
        unsafe handle = result
        inputCount = inputs
    }

    deinit { unsafe ct_program_free(handle) }

    /// Appends a call. `results` are the slots of its results in order, lists unpacked (-1: dropped); `place` leads the
    /// message when it fails.
    package func call(
        _ op: Operator, at place: String, _ arguments: [Operand], results: [Int], freeing freed: [Int]
    ) throws(TorchError) {
        let values = ValueBuffer()
        let list = unsafe values.list(arguments.map { unsafe values.value($0) })
        let results = results.map(Int64.init)
        let freed = freed.map(Int64.init)
        try TorchError.check { error in
            withExtendedLifetime(values) {
                unsafe ct_program_add_call(
                    handle, op.handle, place, list, Int64(arguments.count), results, Int64(results.count), freed,
                    Int64(freed.count), error)
            }
        }
    }

    /// Records for gradients, or not, until the matching `endMode`.
    package func beginGradMode(_ enabled: Bool) throws(TorchError) {
        try TorchError.check { error in
            unsafe ct_program_begin_grad_mode(handle, enabled, error)
        }
    }

    /// Autocasts on the CPU, or not, until the matching `endMode`.
    package func beginAutocast(_ enabled: Bool, _ dtype: DType?) throws(TorchError) {
        try TorchError.check { error in
            unsafe ct_program_begin_autocast(handle, enabled, dtype?.code ?? -1, error)
        }
    }

    package func endMode() throws(TorchError) {
        try TorchError.check { error in
            unsafe ct_program_end_mode(handle, error)
        }
    }

    /// The slots that a run returns; each must hold a tensor or a number then.
    package func setOutputs(_ slots: [Int]) throws(TorchError) {
        let numbers = slots.map(Int64.init)
        try TorchError.check { error in
            unsafe ct_program_set_outputs(handle, numbers, Int64(numbers.count), error)
        }
        outputCount = slots.count
    }

    /// Runs the program on this thread.
    package func run(_ inputs: [Tensor]) throws(TorchError) -> [Tensor] {
        guard inputs.count == inputCount else {
            throw TorchError("the program takes \(inputCount) tensors, not \(inputs.count)")
        }
        let handles = unsafe inputs.map { unsafe $0.handle }
        let outputs = UnsafeMutablePointer<OpaquePointer?>.allocate(capacity: outputCount + 1)
        unsafe outputs.initialize(repeating: nil, count: outputCount + 1)
        defer { unsafe outputs.deallocate() }
        try TorchError.check { error in
            withExtendedLifetime(inputs) {
                unsafe ct_program_run(handle, handles, Int64(handles.count), outputs, error)
            }
        }
        return (0..<outputCount).compactMap { index in
            unsafe outputs[index].map { unsafe Tensor(owning: $0) }
        }
    }
}
