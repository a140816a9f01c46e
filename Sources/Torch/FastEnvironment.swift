import CTorch
import Glibc

/// Environment variables that OpenBLAS and OpenMP read once, when they are loaded, and that this machine needs.
///
/// - `OPENBLAS_CORETYPE`: OpenBLAS 0.3.21 does not know processors that are younger than itself and falls back to
///   kernels for SSE3, four times slower; the instructions that the processor has tell a better choice.
/// - `OMP_WAIT_POLICY=passive` and `GOMP_SPINCOUNT`: threads that wait by spinning take the cores from others on a
///   shared machine, and from the very threads that they wait for: with a loaded machine a step took twenty times as
///   long. Not to spin at all costs a quiet machine as much again as the step itself where tensors are small, so they
///   spin for a few microseconds.
struct FastEnvironment: Hashable {
    /// What OpenBLAS calls the processor; nil where it is another BLAS.
    var core: String?
    /// The features that the kernel lists in /proc/cpuinfo.
    var features: Set<String>
    /// What the environment of the process sets already.
    var given: Set<String>

    /// As libtorch has found it.
    static var inProcess: FastEnvironment {
        FastEnvironment(core: unsafe ct_openblas_core().map { unsafe String(cString: $0) })
    }

    /// As libtorch would find it: its BLAS is loaded alone, asked, and unloaded, in some hundredths of a second.
    static var beforeLoading: FastEnvironment {
        guard unsafe getenv("OPENBLAS_CORETYPE") == nil,
            let library = unsafe dlopen("libblas.so.3", RTLD_LAZY | RTLD_LOCAL)
        else { return FastEnvironment(core: nil) }
        defer { unsafe dlclose(library) }
        typealias CoreName = @convention(c) () -> UnsafePointer<CChar>?
        guard let symbol = unsafe dlsym(library, "openblas_get_corename"),
            let name = unsafe unsafeBitCast(symbol, to: CoreName.self)()
        else { return FastEnvironment(core: nil) }
        return FastEnvironment(core: unsafe String(cString: name))
    }

    init(core: String?) {
        let names = ["OPENBLAS_CORETYPE", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"]
        self.init(
            core: core, features: Self.processorFeatures(), given: Set(names.filter { unsafe getenv($0) != nil }))
    }

    init(core: String?, features: Set<String>, given: Set<String>) {
        self.core = core
        self.features = features
        self.given = given
    }

    /// Variables to set before the libraries are loaded; empty where nothing would get faster.
    var missing: [String: String] {
        var missing: [String: String] = [:]
        if let kernels = betterCore, !given.contains("OPENBLAS_CORETYPE") { missing["OPENBLAS_CORETYPE"] = kernels }
        if given.isDisjoint(with: ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT"]) {
            missing["OMP_WAIT_POLICY"] = "passive"
            missing["GOMP_SPINCOUNT"] = "4000"
        }
        return missing
    }

    var advice: String? {
        guard let core, let better = betterCore else { return nil }
        return
            "OpenBLAS does not know this processor and uses slow kernels (\(core)): set OPENBLAS_CORETYPE=\(better) in "
            + "the environment"
    }

    /// The kernels to ask for where OpenBLAS has chosen ones without AVX on a processor that has it.
    private var betterCore: String? {
        guard let core, ["Prescott", "Core2", "Nehalem", "Generic", "Northwood", "Katmai"].contains(core) else {
            return nil
        }
        if features.isSuperset(of: ["avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_bf16"]) {
            return "Cooperlake"
        }
        if features.isSuperset(of: ["avx512f", "avx512bw", "avx512dq", "avx512vl"]) { return "SkylakeX" }
        if features.isSuperset(of: ["avx2", "fma"]) { return "Haswell" }
        return nil
    }

    /// The first processor's features; empty where the file can't be read.
    private static func processorFeatures() -> Set<String> {
        guard let file = unsafe fopen("/proc/cpuinfo", "re") else { return [] }
        defer { unsafe fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { unsafe free(line) }
        while unsafe getline(&line, &capacity, file) > 0 {
            guard let text = unsafe line.map({ unsafe String(cString: $0) }), text.hasPrefix("flags") else { continue }
            return Set(text.split(whereSeparator: { $0 == " " || $0 == "\n" || $0 == "\t" }).map(String.init))
        }
        return []
    }
}
