import CTorch

/// A straight-line sequence of operator calls over numbered slots; `ProgramValues` runs it, whole or in ranges of
/// instructions.
///
/// What an instruction frees is gone after it, so that a run holds no more than the values still needed (and what
/// autograd keeps).
@safe package final class Program {
    /// An argument of an instruction.
    package indirect enum Operand: Hashable, Sendable {
        case none, `default`, slot(Int), int(Int), double(Double), bool(Bool), string(String), dtype(DType)
        case complex(Double, Double), list([Operand])
    }

    let handle: OpaquePointer

    /// A program over `slots` slots.
    package init(slots: Int) throws(TorchError) {
        var result: OpaquePointer?
        try TorchError.check { error in
            unsafe ct_program_create(Int64(slots), &result, error)
        }
        guard let result = unsafe result else { throw TorchError("libtorch made no program") }
        unsafe handle = result
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
}
