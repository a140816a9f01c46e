import CTorch
import Glibc

/// The library of matrix products in this process, told by its file's name.
enum BLAS: Hashable {
    case openBLASWithOpenMP(String)
    case openBLASWithThreads(String)
    case openBLASSerial(String)
    case reference(String)
    case mkl
    case other(String)

    static var inProcess: BLAS {
        var paths: [String] = []
        if let text = unsafe ct_blas_libraries() {
            paths = unsafe String(cString: text).split(separator: "\n").map(String.init)
            unsafe free(text)
        }
        return BLAS(paths: paths, hasMKL: ct_has_mkl())
    }

    /// Judges by the resolved paths of the libraries whose name says BLAS.
    init(paths: [String], hasMKL: Bool) {
        if hasMKL {
            self = .mkl
        } else if let path = paths.first(where: { $0.contains("openblas") }) {
            switch true {
            case path.contains("pthread"): self = .openBLASWithThreads(path)
            case path.contains("serial"): self = .openBLASSerial(path)
            case path.contains("openmp"), path.contains("openblaso"): self = .openBLASWithOpenMP(path)
            default: self = .other(path)
            }
        } else if let path = paths.first(where: { $0.contains("/blas/") }) {
            self = .reference(path)
        } else {
            self = .other(paths.first ?? "inside libtorch")
        }
    }

    var description: String {
        switch self {
        case .openBLASWithOpenMP(let path): "OpenBLAS (OpenMP) \(path)"
        case .openBLASWithThreads(let path): "OpenBLAS (own threads) \(path)"
        case .openBLASSerial(let path): "OpenBLAS (serial) \(path)"
        case .reference(let path): "reference BLAS \(path)"
        case .mkl: "MKL"
        case .other(let path): path
        }
    }

    var advice: String? {
        switch self {
        case .openBLASWithOpenMP, .mkl, .other: nil
        case .openBLASWithThreads:
            "OpenBLAS with a thread pool of its own halves the speed: install libopenblas0-openmp in place of "
                + "libopenblas0-pthread"
        case .openBLASSerial:
            "OpenBLAS without threads uses one core: install libopenblas0-openmp in place of libopenblas0-serial"
        case .reference:
            "the reference BLAS is about 15 times slower than OpenBLAS: install libopenblas0-openmp and choose it with "
                + "update-alternatives"
        }
    }
}
