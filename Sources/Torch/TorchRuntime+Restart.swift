import CTorch
import Glibc

extension TorchRuntime {
    /// Variables that must be in the environment before the process starts for OpenBLAS and OpenMP to be fast on this
    /// machine, and are not. Whoever starts a worker that links libtorch may add them beforehand.
    package static var missingEnvironment: [String: String] { FastEnvironment.inProcess.missing }

    /// Starts this program anew in its own process with what `missingEnvironment` says; returns where nothing is missing
    /// or the system refuses. To be called before anything is done: descriptors, arguments and process number stay.
    package static func restartWithFastEnvironment() {
        let missing = missingEnvironment
        guard !missing.isEmpty else { return }
        for (name, value) in missing { unsafe ct_set_environment(name, value) }
        unsafe execv("/proc/self/exe", CommandLine.unsafeArgv)
    }
}
