internal import Torch

/// Set-up of the numerical library, for programs that do not import it themselves.
package enum NumericalRuntime {
    /// Threads of everything that computes; 0: one for each core.
    package static func setThreads(_ count: Int) throws { try TorchRuntime.setThreads(count) }

    /// Loads libtorch, at its best on this machine; returns a line of advice where its BLAS is a slow one. Throws
    /// `MergeError` of the kind `environment` where it can't be loaded. To be called before other threads run, by
    /// whatever runs a graph.
    package static func load() throws -> String? {
        do {
            try TorchRuntime.load()
        } catch {
            throw MergeError(kind: .environment, message: error.message)
        }
        return TorchRuntime.blasAdvice()
    }
}
