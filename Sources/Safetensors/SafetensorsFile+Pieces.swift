extension SafetensorsFile {
    /// Bytes of a piece: whole elements of any type.
    static let pieceLength: Int64 = 1 << 20

    /// The tensor's bytes from `offset` on, a MiB at most; none at its end. Whoever reads a tensor so begins each piece
    /// where the one before ended.
    package func piece(of entry: TensorEntry, at offset: Int64) throws(SafetensorsError) -> [UInt8] {
        let length = Int64(entry.bytes.count)
        guard offset != length else { return [] }
        let left = offset < 0 ? 0 : max(0, length - offset)
        var bytes = [UInt8](repeating: 0, count: Int(min(left, Self.pieceLength)))
        unsafe try bytes.withUnsafeMutableBufferPointer { (buffer) throws(SafetensorsError) in
            unsafe try read(entry, at: offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return bytes
    }
}
