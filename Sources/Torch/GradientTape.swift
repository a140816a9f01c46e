/// Reverse-mode differentiation that hands each gradient over and forgets it, so that no second copy of the model exists.
///
/// A watched tensor is a leaf whose gradient function is ours: when the engine has summed ∂L/∂θ(j) over all uses of θ(j),
/// `backward` calls its body with (j, ∂L/∂θ(j)) at once and the gradient is freed when the body returns.
package final class GradientTape {
    package init() {}
    /// An alias of `tensor` that shares its memory and records what is done with it.
    package func watch(_ tensor: Tensor, index: Int) throws -> Tensor { fatalError() }
    /// Back-propagates from the scalar `loss`. An error thrown by `body` stops the pass and is thrown again.
    package func backward(_ loss: Tensor, _ body: (Int, Tensor) throws -> Void) throws { fatalError() }
}

/// Settings of the whole process and the calling thread.
package enum TorchRuntime {
    /// Threads of an operation; 0: the machine's cores.
    package static func setThreads(_ count: Int) throws { fatalError() }
    /// libtorch's version, the BLAS in the process, threads: for `release.json`.
    package static func versions() -> [String: String] { fatalError() }
    /// One line of advice where the BLAS in the process is a slow one (reference, or OpenBLAS with a thread pool of its own).
    package static func blasAdvice() -> String? { fatalError() }
    /// Runs `body` on this thread without recording for gradients.
    package static func withoutGradients<R>(_ body: () throws -> R) throws -> R { fatalError() }
    /// Runs `body` on this thread with matrix products in bfloat16 (CPU autocast).
    package static func withAutocast<R>(_ enabled: Bool, _ body: () throws -> R) throws -> R { fatalError() }
}
