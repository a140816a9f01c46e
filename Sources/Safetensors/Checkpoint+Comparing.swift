import Glibc

extension UnsafeRawBufferPointer {
    /// Whether it is `element` over and over; ends at the first difference.
    package func repeats(_ element: [UInt8]) -> Bool {
        let width = element.count
        guard width > 0, count >= width, count % width == 0 else { return false }
        guard unsafe self[..<width].elementsEqual(element) else { return false }
        // Each element is the one before it.
        guard let start = baseAddress, count > width else { return true }
        return unsafe memcmp(start, start + width, count - width) == 0
    }
}

extension SafetensorsDType {
    /// The number that the bytes of one floating-point element stand for; nil for integers.
    package func value(_ element: [UInt8]) -> Double? {
        guard kind == .real, element.count == byteCount else { return nil }
        if self == .f64 { return unsafe element.withUnsafeBytes { unsafe $0.loadUnaligned(as: Double.self) } }
        var value: Float = 0
        unsafe withUnsafeMutableBytes(of: &value) { target in
            unsafe target.withMemoryRebound(to: Float.self) { floats in
                unsafe element.withUnsafeBytes { unsafe widen($0, into: floats) }
            }
        }
        return Double(value)
    }
}

extension Checkpoint {
    /// Whether all elements of the named tensor are the same. Reads until the first difference, 1 MiB at a time.
    package func isConstant(_ name: String) throws(SafetensorsError) -> Bool {
        guard let entry = entry(name), let file = file(of: name) else { return false }
        var first: [UInt8] = []
        var position: Int64 = 0
        while true {
            let bytes = try file.piece(of: entry, at: position)
            guard !bytes.isEmpty else { return true }
            if first.isEmpty { first = Array(bytes.prefix(entry.dtype.byteCount)) }
            guard unsafe bytes.withUnsafeBytes({ unsafe $0.repeats(first) }) else { return false }
            position += Int64(bytes.count)
        }
    }

    /// Whether `other` holds the tensor called `twinName` with the same type, shape and bytes. Reads until the first
    /// difference, 2 MiB at a time.
    package func holdsSame(
        _ name: String, as twinName: String, of other: Checkpoint
    ) throws(SafetensorsError) -> Bool {
        guard let entry = entry(name), let file = file(of: name), let twin = other.entry(twinName),
            let twinFile = other.file(of: twinName), entry.dtype == twin.dtype, entry.shape == twin.shape
        else { return false }
        var position: Int64 = 0
        while true {
            let bytes = try file.piece(of: entry, at: position)
            guard try bytes == twinFile.piece(of: twin, at: position) else { return false }
            if bytes.isEmpty { return true }
            position += Int64(bytes.count)
        }
    }
}
