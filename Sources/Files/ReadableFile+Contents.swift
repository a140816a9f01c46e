extension ReadableFile {
    /// Everything up to the end of the file, also where the system gives no size (`/proc`); more than `limit` bytes is
    /// `FilesError.tooLarge`.
    package func contents(limit: Int = 64 << 20) throws(FilesError) -> [UInt8] {
        guard size <= limit else { throw .tooLarge(path: path, limit: limit) }
        var bytes = try some(at: 0, atMost: Int(size) + 1)
        guard bytes.count != size else { return bytes }
        while true {
            let more = try some(at: Int64(bytes.count), atMost: 1 << 16)
            bytes += more
            guard bytes.count <= limit else { throw .tooLarge(path: path, limit: limit) }
            if more.isEmpty { return bytes }
        }
    }

    /// Just `count` bytes from byte `offset`; end of file is `FilesError.truncated`.
    package func bytes(at offset: Int64, count: Int) throws(FilesError) -> [UInt8] {
        let bytes = try some(at: offset, atMost: count)
        guard bytes.count == count else { throw .truncated(path: path, offset: offset + Int64(bytes.count)) }
        return bytes
    }

    private func some(at offset: Int64, atMost count: Int) throws(FilesError) -> [UInt8] {
        var failure: FilesError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count])
            do throws(FilesError) {
                initialized = unsafe try readSome(into: room, at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
