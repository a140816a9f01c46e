import Files
import Synchronization

/// The contents of small files of one listing, each read once: several rules ask for a base's configuration.
final class SmallFiles: Sendable {
    /// Bytes of the largest file that is kept; a longer one is read each time.
    private static let longest = 1 << 20
    private let kept = Mutex<[String: [UInt8]]>([:])

    /// The content of the named file, which `open` opens where it is not kept. Throws what reading it does.
    func contents(
        _ name: String, limit: Int, _ open: (String) throws(AdmissionFault) -> ReadableFile
    ) throws(AdmissionFault) -> [UInt8] {
        if let bytes = kept.withLock({ $0[name] }), bytes.count <= limit { return bytes }
        let bytes: [UInt8]
        let file = try open(name)
        do throws(FilesError) {
            bytes = try file.contents(limit: limit)
        } catch {
            throw AdmissionFault(error)
        }
        if bytes.count <= Self.longest { kept.withLock { $0[name] = bytes } }
        return bytes
    }
}
