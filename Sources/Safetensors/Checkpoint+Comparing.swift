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
    package func isConstant(_ name: String) throws(SafetensorsError) -> Bool { try repeated(name) != nil }

    /// The value of a floating-point tensor whose elements are all the same; nil of any other. Reads until the first
    /// difference, 1 MiB at a time.
    package func constant(_ name: String) throws(SafetensorsError) -> Double? {
        try repeated(name).flatMap { element in storedEntry(name)?.dtype.value(element) }
    }

    /// The bytes of the element that the named tensor repeats; nil where it does not.
    private func repeated(_ name: String) throws(SafetensorsError) -> [UInt8]? {
        guard let entry = storedEntry(name), let file = file(of: name) else { return nil }
        var first: [UInt8] = []
        var position: Int64 = 0
        while true {
            let bytes = try file.piece(of: entry, at: position)
            guard !bytes.isEmpty else { return first }
            if first.isEmpty { first = Array(bytes.prefix(entry.dtype.byteCount)) }
            guard unsafe bytes.withUnsafeBytes({ unsafe $0.repeats(first) }) else { return nil }
            position += Int64(bytes.count)
        }
    }

    /// The Frobenius norm of the named floating-point tensor, as it is in its file; 0 of any other. Memory:
    /// its elements in f64.
    package func norm(_ name: String) throws(SafetensorsError) -> Double {
        guard let entry = storedEntry(name), entry.dtype.isReal, let file = file(of: name) else { return 0 }
        return try file.elements(of: entry).reduce(0) { $0 + $1 * $1 }.squareRoot()
    }

    /// Whether the tensor of this name has the values of `base`'s, rounded to the narrower of the two types; of a
    /// vocabulary that was cut or padded in the rows that both have.
    package func holdsValues(_ name: String, of base: Checkpoint) throws(SafetensorsError) -> Bool {
        guard let entry = storedEntry(name), let file = file(of: name) else { return false }
        return try base.holdsValues(of: entry, in: file, as: name)
    }

    /// Whether `other` holds the tensor called `twinName` with the same type, shape and bytes; a vocabulary that was
    /// cut or padded counts as the base has it. Reads until the first difference, 2 MiB at a time.
    package func holdsSame(
        _ name: String, as twinName: String, of other: Checkpoint
    ) throws(SafetensorsError) -> Bool {
        guard let entry = entry(name), let twin = other.entry(twinName), entry.dtype == twin.dtype,
            entry.shape == twin.shape
        else { return false }
        let length = Int64(entry.bytes.count)
        var position: Int64 = 0
        while position < length {
            let count = Int(min(SafetensorsFile.pieceLength, length - position))
            let bytes = try piece(of: name, at: position, count: count)
            guard try bytes == other.piece(of: twinName, at: position, count: count) else { return false }
            position += Int64(count)
        }
        return true
    }

    private func piece(of name: String, at position: Int64, count: Int) throws(SafetensorsError) -> [UInt8] {
        unsafe try Self.bytes(count) { (part) throws(SafetensorsError) in
            unsafe try read(name, at: position, into: part)
        }
    }
}
