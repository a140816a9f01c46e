internal import Torch

/// Set-up of the numerical library, for programs that do not import it themselves.
package enum NumericalRuntime {
    /// Sets the threads (0: one for each core) and returns a line of advice where the BLAS in the process is a slow one.
    package static func prepare(threads: Int) throws -> String? {
        try TorchRuntime.setThreads(threads)
        return TorchRuntime.blasAdvice()
    }

    /// Call before anything is done: starts the process once more in place where the numerical libraries need other variables.
    package static func restartWithFastEnvironment() { TorchRuntime.restartWithFastEnvironment() }

    /// Versions of what computes.
    package static func versions() -> [String: String] { TorchRuntime.versions() }
}
