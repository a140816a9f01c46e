internal import Files

extension ReadableFile {
    /// Bytes of the file when it was opened.
    var length: Int { Int(size) }

    /// `count` bytes from byte `offset` of an archive.
    func archived(at offset: Int, count: Int) throws(GraphError) -> [UInt8] {
        guard offset >= 0, count >= 0, offset <= length, count <= length - offset else {
            throw .malformed(path: path, reason: "it ends before byte \(offset) + \(count)")
        }
        do throws(FilesError) {
            return try bytes(at: Int64(offset), count: count)
        } catch {
            throw .malformed(path: path, reason: "it can't be read at byte \(offset)")
        }
    }
}
