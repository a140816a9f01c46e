import CTorch

/// The slots of one run of a program. Instructions run in ranges, in any order that the caller answers for; between two
/// ranges slots can be read, replaced and emptied.
///
/// An instruction empties the slots that nothing after it reads; a slot that an earlier range is to be run again for
/// has to be set again. Not `Sendable`: a run belongs to one thread.
@safe package final class ProgramValues {
    package let program: Program
    private let handle: OpaquePointer

    /// All slots are empty.
    package init(_ program: Program) throws(TorchError) {
        self.program = program
        var result: OpaquePointer?
        try TorchError.check { error in
            unsafe ct_values_create(program.handle, &result, error)
        }
        guard let result = unsafe result else { throw TorchError("libtorch made no slots") }
        unsafe handle = result
    }

    deinit { unsafe ct_values_free(handle) }

    /// Puts a tensor into a slot; nil empties it.
    package func set(_ tensor: Tensor?, at slot: Int) throws(TorchError) {
        try TorchError.check { error in
            withExtendedLifetime(tensor) {
                unsafe ct_values_set(handle, Int64(slot), tensor?.handle, error)
            }
        }
    }

    /// The tensor in a slot, sharing its memory; a number becomes a tensor without axes. Throws where the slot is
    /// empty.
    package func tensor(at slot: Int) throws(TorchError) -> Tensor {
        var result: OpaquePointer?
        try TorchError.check { error in
            unsafe ct_values_get(handle, Int64(slot), &result, error)
        }
        guard let result = unsafe result else { throw TorchError("libtorch gave no tensor") }
        return unsafe Tensor(owning: result)
    }

    /// Whether a slot holds a tensor, and not a number (a length, say) or nothing.
    package func isTensor(at slot: Int) -> Bool { unsafe ct_values_is_tensor(handle, Int64(slot)) }

    /// Takes a slot over from another run of the same program, numbers as numbers; tensors share their elements.
    package func copy(_ slot: Int, from other: ProgramValues) throws(TorchError) {
        try TorchError.check { error in
            withExtendedLifetime(other) {
                unsafe ct_values_copy(handle, other.handle, Int64(slot), error)
            }
        }
    }

    /// Runs the instructions of `range` on this thread. Throws where the range begins or ends inside a grad-mode or
    /// autocast region, or an instruction fails; the message then begins with its place.
    package func run(_ range: Range<Int>) throws(TorchError) {
        try TorchError.check { error in
            unsafe ct_values_run(handle, Int64(range.lowerBound), Int64(range.upperBound), error)
        }
    }
}
