import CTorch
import Glibc

extension TorchRuntime {
    /// Loads libtorch where it is not loaded yet, with the environment that OpenBLAS and OpenMP need on this machine
    /// and read only now. Anything that needs libtorch loads it too, but without that; so call this first, and before
    /// other threads run.
    ///
    /// Throws what is missing and how to install it. Costs most of a second: nothing that can do without libtorch loads
    /// it.
    package static func load() throws(TorchError) {
        if !ct_library_is_loaded() {
            for (name, value) in FastEnvironment(core: nil).missing { unsafe setenv(name, value, 0) }
            for (name, value) in FastEnvironment.beforeLoading.missing { unsafe setenv(name, value, 0) }
        }
        try TorchError.check { error in
            unsafe ct_library_load(error)
        }
    }

    package static var isLoaded: Bool { ct_library_is_loaded() }
}
