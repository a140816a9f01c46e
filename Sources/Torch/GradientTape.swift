import CTorch

/// Reverse-mode differentiation that hands each gradient over and forgets it, so that no second copy of the model exists.
///
/// A watched tensor is a leaf whose gradient function is ours: when the engine has summed ∂L/∂θ(j) over all uses of θ(j),
/// `backward` calls its body with (j, ∂L/∂θ(j)) at once and the gradient is freed when the body returns.
@safe package final class GradientTape {
    private let handle: OpaquePointer?

    package init() {
        var result: OpaquePointer?
        try? TorchError.check { error in
            unsafe ct_tape_create(&result, error)
        }
        unsafe handle = result
    }

    deinit {
        if let handle = unsafe handle { unsafe ct_tape_free(handle) }
    }

    /// An alias of `tensor` that shares its memory and records what is done with it. Each call is a leaf of its own:
    /// watch a tied parameter once and use the alias under all its names.
    package func watch(_ tensor: Tensor, index: Int) throws -> Tensor {
        let handle = try unsafe opened()
        var result: OpaquePointer?
        try TorchError.check { error in
            unsafe ct_tape_watch(handle, tensor.handle, Int64(index), &result, error)
        }
        guard let result = unsafe result else { throw TorchError("libtorch made no alias") }
        return unsafe Tensor(owning: result)
    }

    /// Back-propagates from the scalar `loss`, on this thread. An error thrown by `body` stops the pass and is thrown
    /// again. What the forward pass kept is freed on the way: a loss can be back-propagated once.
    package func backward(_ loss: Tensor, _ body: (Int, Tensor) throws -> Void) throws {
        let handle = try unsafe opened()
        try withoutActuallyEscaping(body) { body in
            let receiver = Receiver(body)
            do {
                try TorchError.check { error in
                    unsafe ct_tape_backward(
                        handle, loss.handle,
                        { context, index, gradient in
                            guard let context = unsafe context else { return 1 }
                            let receiver = unsafe Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue()
                            return unsafe receiver.receive(Int(index), Tensor(owning: gradient))
                        },
                        Unmanaged.passUnretained(receiver).toOpaque(), error)
                }
            } catch {
                throw receiver.thrown ?? error
            }
        }
    }

    private func opened() throws(TorchError) -> OpaquePointer {
        guard let handle = unsafe handle else { throw TorchError("no memory for a gradient tape") }
        return unsafe handle
    }

    /// Keeps the body's error while C++ unwinds.
    private final class Receiver {
        private let body: (Int, Tensor) throws -> Void
        private(set) var thrown: (any Error)?

        init(_ body: @escaping (Int, Tensor) throws -> Void) { self.body = body }

        func receive(_ index: Int, _ gradient: Tensor) -> Int32 {
            do {
                try body(index, gradient)
                return 0
            } catch {
                thrown = error
                return 1
            }
        }
    }
}
