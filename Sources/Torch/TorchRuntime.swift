import CKernels
import CTorch
import Glibc

/// Settings of the whole process and the calling thread.
package enum TorchRuntime {
    /// Threads of an operation, of libtorch's too when it is loaded; 0: the machine's cores.
    package static func setThreads(_ count: Int) throws {
        guard count >= 0, let number = Int32(exactly: count == 0 ? sysconf(Int32(_SC_NPROCESSORS_ONLN)) : count) else {
            throw TorchError("\(count) is no number of threads: give 1 or more, or 0 for the machine's cores")
        }
        ck_set_threads(number)
        guard isLoaded else { return }
        try TorchError.check { error in
            unsafe ct_set_threads(number, error)
        }
    }

    /// Threads that an operation may use.
    package static var threads: Int { Int(ck_threads()) }

    /// Keeps freed memory in the process: a fit allocates the same activations at every step, and the kernel clears
    /// every page that it hands out again.
    package static func keepFreedMemory() { ck_keep_freed_memory() }

    /// Gives freed blocks of a megabyte and more back to the kernel at once: for a process whose limit counts what it
    /// holds. Costs the clearing of pages at each allocation.
    package static func returnFreedMemory() { ck_return_freed_memory() }

    /// What computes, for `release.json`: threads, and where libtorch is loaded its version and its BLAS.
    package static func versions() -> [String: String] {
        let threads = ["threads": String(threads)]
        guard isLoaded else { return threads.merging(["kernels": "supermerge"]) { $1 } }
        return threads.merging([
            "libtorch": unsafe String(cString: ct_torch_version()),
            "blas": BLAS.inProcess.description,
            "kernels": unsafe ct_openblas_core().map { unsafe String(cString: $0) } ?? "",
        ]) { $1 }.filter { !$0.value.isEmpty }
    }

    /// One line of advice where the BLAS in the process is a slow one (reference, or OpenBLAS with a thread pool of its
    /// own).
    package static func blasAdvice() -> String? { BLAS.inProcess.advice ?? FastEnvironment.inProcess.advice }

    /// Runs `body` on this thread without recording for gradients.
    package static func withoutGradients<R>(_ body: () throws -> R) throws -> R {
        let before = ct_grad_mode()
        ct_set_grad_mode(false)
        defer { ct_set_grad_mode(before) }
        return try body()
    }

    /// Runs `body` on this thread with matrix products in bfloat16 (CPU autocast).
    package static func withAutocast<R>(_ enabled: Bool, _ body: () throws -> R) throws -> R {
        let before = ct_autocast()
        ct_set_autocast(enabled)
        defer { ct_set_autocast(before) }
        return try body()
    }
}
