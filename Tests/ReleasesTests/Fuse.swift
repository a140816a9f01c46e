import Files
import Glibc

/// Counts changes to the file system and makes some of them fail.
final class Fuse: @unchecked Sendable {
    enum Fault: Sendable {
        /// Every change from this one on fails, as after a power cut.
        case crash(at: Int)
        /// Only this one fails: with `errno`, or else with EIO where it is an fsync and for want of room where not.
        case once(at: Int, errno: Int32? = nil)
    }

    private(set) var seen: [FileMutation] = []
    private let fault: Fault

    init(_ fault: Fault) { self.fault = fault }

    private func check(_ mutation: FileMutation) throws(FilesError) {
        seen.append(mutation)
        switch fault {
        case .crash(let step) where seen.count >= step:
            throw .system(call: mutation.kind.rawValue, path: mutation.path, errno: EIO)
        case .once(let step, let given) where seen.count == step:
            let errno = given ?? (mutation.kind == .sync ? EIO : ENOSPC)
            throw .system(call: mutation.kind.rawValue, path: mutation.path, errno: errno)
        case .crash, .once: return
        }
    }

    /// Runs `body` under the fault; nil where it threw nothing.
    func run(_ body: () throws -> Void) -> (any Error)? {
        let interceptor: @Sendable (FileMutation) throws(FilesError) -> Void = check
        return FileMutation.$interceptor.withValue(interceptor) {
            do {
                try body()
                return nil
            } catch {
                return error
            }
        }
    }
}
