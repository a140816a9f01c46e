import CTorch

/// Reverse-mode differentiation that hands each gradient over and forgets it, so that no second copy of the model
/// exists.
///
/// A watched tensor is a leaf whose gradient function is ours: when the engine has summed ∂L/∂θ(j) over all uses of
/// θ(j), `backward` calls its body with (j, ∂L/∂θ(j)) at once and the gradient is freed when the body returns. Where
/// that is wanted, what comes of a linear layer is handed over as the two matrices that it is the product of, and what
/// comes of an embedding as the rows that were looked up: neither is ever formed.
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

    /// What the engine comes by of ∂L/∂θ(j).
    package enum Part {
        /// The sum over all uses of θ(j) of which no other part was handed over; comes once, after the others, or not
        /// at all.
        case whole(Tensor)
        /// leftᵀ · right, of one use: left [T, rows of θ(j)], right [T, columns], float32 and contiguous, over the T
        /// tokens with a gradient that is not zero. The engine uses both elsewhere: they are not to be written to.
        case product(left: Tensor, right: Tensor)
        /// `values` [T, columns], float32 and contiguous, each row to be added at its place in θ(j), of which there are
        /// T, int64; a place may occur several times.
        case rows(places: Tensor, values: Tensor)

        init(_ code: Int32, _ first: Tensor, _ second: Tensor?) {
            self =
                switch (Int(code), second) {
                case (CT_PRODUCT, let second?): .product(left: first, right: second)
                case (CT_ROWS, let second?): .rows(places: first, values: second)
                case (CT_WHOLE, nil): .whole(first)
                default: preconditionFailure("no part of a gradient: \(code)")
                }
        }
    }

    /// Parts that a gradient may be handed over in, beside the whole.
    package struct Forms: OptionSet, Sendable {
        package let rawValue: Int32

        package init(rawValue: Int32) { self.rawValue = rawValue }

        /// What comes of a linear layer in float32, as `Part.product`.
        package static let products = Forms(rawValue: 1 << Int32(CT_PRODUCT))
        /// What comes of an embedding in float32, as `Part.rows`.
        package static let rows = Forms(rawValue: 1 << Int32(CT_ROWS))
    }

    /// An alias of `tensor` that shares its memory and records what is done with it. Each call is a leaf of its own:
    /// watch a tied parameter once and use the alias under all its names.
    package func watch(_ tensor: Tensor, index: Int, in forms: Forms = []) throws -> Tensor {
        let handle = try unsafe opened()
        var result: OpaquePointer?
        try TorchError.check { error in
            unsafe ct_tape_watch(handle, tensor.handle, Int64(index), forms.rawValue, &result, error)
        }
        guard let result = unsafe result else { throw TorchError("libtorch made no alias") }
        return unsafe Tensor(owning: result)
    }

    /// Back-propagates from the scalar `loss`, on this thread. An error thrown by `body` stops the pass and is thrown
    /// again. What the forward pass kept is freed on the way: a loss can be back-propagated once.
    package func backward(_ loss: Tensor, _ body: (Int, Tensor) throws -> Void) throws {
        try backward(inParts: loss) { index, part in
            guard case .whole(let gradient) = part else { throw TorchError("a part where a gradient was expected") }
            try body(index, gradient)
        }
    }

    /// `backward` for tapes that watch in parts.
    package func backward(inParts loss: Tensor, _ body: (Int, Part) throws -> Void) throws {
        try backward(from: [Root(loss)], body)
    }

    /// Where a pass begins: a tensor, and ∂L/∂tensor; nil for the loss itself, which has one element.
    package struct Root {
        package let tensor: Tensor
        package let gradient: Tensor?

        package init(_ tensor: Tensor, gradient: Tensor? = nil) {
            self.tensor = tensor
            self.gradient = gradient
        }
    }

    /// `backward` from several tensors at once. A root may be a watched alias: its gradient is the first summand of
    /// what the body receives of it.
    package func backward(from roots: [Root], _ body: (Int, Part) throws -> Void) throws {
        let handle = try unsafe opened()
        let tensors = unsafe roots.map { unsafe $0.tensor.handle }
        let gradients = unsafe roots.map { unsafe $0.gradient?.handle }
        try withoutActuallyEscaping(body) { body in
            let receiver = Receiver(body)
            do {
                try TorchError.check { error in
                    unsafe ct_tape_backward(
                        handle, tensors, gradients, Int64(roots.count),
                        { context, index, part, first, second in
                            let first = unsafe Tensor(owning: first)
                            let second = unsafe second.map { unsafe Tensor(owning: $0) }
                            guard let context = unsafe context else { return 1 }
                            let receiver = unsafe Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue()
                            return receiver.receive(Int(index), Part(part, first, second))
                        },
                        Unmanaged.passUnretained(receiver).toOpaque(), error)
                }
            } catch {
                throw receiver.thrown ?? error
            }
            withExtendedLifetime(roots) {}
        }
    }

    private func opened() throws(TorchError) -> OpaquePointer {
        guard let handle = unsafe handle else { throw TorchError("no memory for a gradient tape") }
        return unsafe handle
    }

    /// Keeps the body's error while C++ unwinds.
    private final class Receiver {
        private let body: (Int, Part) throws -> Void
        private(set) var thrown: (any Error)?

        init(_ body: @escaping (Int, Part) throws -> Void) { self.body = body }

        func receive(_ index: Int, _ part: Part) -> Int32 {
            do {
                try body(index, part)
                return 0
            } catch {
                thrown = error
                return 1
            }
        }
    }
}
