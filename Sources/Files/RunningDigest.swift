/// SHA-256 of a file whose content is read for another purpose: reads that come in the file's order are hashed as they
/// pass, and only what they left out is read once more.
package final class RunningDigest {
    private let file: ReadableFile
    private var digest = Digest()
    /// Everything before this offset is in the digest.
    private var next: Int64 = 0
    private static let gap: Int64 = 16 << 20

    package init(_ file: ReadableFile) { self.file = file }

    /// Takes bytes that were read from `offset`. Gaps of up to 16 MiB, such as a header, are read here.
    package func pass(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FilesError) {
        guard offset >= next, offset - next <= Self.gap else { return }
        try read(until: offset)
        unsafe digest.update(bytes)
        next += Int64(bytes.count)
    }

    /// Reads what has not passed, and gives the digest of the whole file.
    package func finish() throws(FilesError) -> String {
        try read(until: file.size)
        return digest.hexadecimal()
    }

    private func read(until end: Int64) throws(FilesError) {
        while next < end {
            let part = try file.bytes(at: next, count: Int(min(end - next, 1 << 20)))
            unsafe part.withUnsafeBytes { unsafe digest.update($0) }
            next += Int64(part.count)
        }
    }
}
