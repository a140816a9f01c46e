extension ReadableFile {
    /// Everything up to the end of the file, also where the system gives no size (`/proc`); more than `limit` bytes is
    /// `FilesError.tooLarge`.
    package func contents(limit: Int = 64 << 20) throws(FilesError) -> [UInt8] {
        guard size <= limit else { throw .tooLarge(path: path, limit: limit) }
        var bytes: [UInt8] = []
        var capacity = max(Int(size), 4096) + 1
        while true {
            let start = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: capacity))
            let count = try fill(&bytes, from: start)
            bytes.removeLast(capacity - count)
            guard bytes.count <= limit else { throw .tooLarge(path: path, limit: limit) }
            if count < capacity { return bytes }
            capacity = min(capacity * 2, 1 << 20)
        }
    }

    private func fill(_ bytes: inout [UInt8], from start: Int) throws(FilesError) -> Int {
        unsafe try bytes.withUnsafeMutableBufferPointer { (buffer) throws(FilesError) in
            let room = unsafe UnsafeMutableBufferPointer(rebasing: buffer[start...])
            return unsafe try readSome(into: UnsafeMutableRawBufferPointer(room), at: Int64(start))
        }
    }
}
