extension SafetensorsFile {
    /// The elements of a floating-point tensor in f64; exact.
    package func elements(of entry: TensorEntry) throws(SafetensorsError) -> [Double] {
        guard entry.dtype.isReal else {
            throw .malformed(path: file.path, reason: "tensor \(quoted(entry.name)) is not of floating point")
        }
        var elements: [Double] = []
        elements.reserveCapacity(entry.elementCount)
        var position: Int64 = 0
        while true {
            let bytes = try piece(of: entry, at: position)
            if bytes.isEmpty { return elements }
            elements += entry.dtype.doubles(bytes)
            position += Int64(bytes.count)
        }
    }

    /// Whether two tensors of the same type and shape have the same bytes; `second` is one of `other`.
    package func holdsSame(
        _ first: TensorEntry, _ second: TensorEntry, of other: SafetensorsFile
    ) throws(SafetensorsError) -> Bool {
        var position: Int64 = 0
        while true {
            let bytes = try piece(of: first, at: position)
            guard try bytes == other.piece(of: second, at: position) else { return false }
            if bytes.isEmpty { return true }
            position += Int64(bytes.count)
        }
    }
}

extension Checkpoint {
    /// Whether the tensor `name` here has the values of `entry` in `file`, rounded to the narrower of the two types; of
    /// a vocabulary that was cut or padded in the rows that both have.
    package func holdsValues(
        of entry: TensorEntry, in file: SafetensorsFile, as name: String
    ) throws(SafetensorsError) -> Bool {
        guard let own = self.entry(name), own.dtype.isReal, entry.dtype.isReal, own.shape.count == entry.shape.count,
            own.shape.dropFirst() == entry.shape.dropFirst()
        else { return false }
        let isFitting =
            own.shape == entry.shape
            || Self.hasTokens(name) && Self.isCutOrPadded(entry.shape.first ?? 0, of: own.shape.first ?? 0)
        guard isFitting else { return false }
        let narrow = own.dtype.byteCount < entry.dtype.byteCount ? own.dtype : entry.dtype
        let count = Int64(min(own.elementCount, entry.elementCount))
        var done: Int64 = 0
        while done < count {
            let theirs = try file.piece(of: entry, at: done * Int64(entry.dtype.byteCount))
            let number = min(Int64(theirs.count / entry.dtype.byteCount), count - done)
            let bytes = unsafe try Self.bytes(Int(number) * own.dtype.byteCount) { (part) throws(SafetensorsError) in
                unsafe try read(name, at: done * Int64(own.dtype.byteCount), into: part)
            }
            let (left, right) = (own.dtype.doubles(bytes), entry.dtype.doubles(theirs).prefix(Int(number)))
            guard zip(left, right).allSatisfy({ narrow.rounds($0) == narrow.rounds($1) }) else { return false }
            done += number
        }
        return true
    }
}

extension SafetensorsDType {
    /// The elements in `bytes` of a floating-point type.
    fileprivate func doubles(_ bytes: [UInt8]) -> [Double] {
        var elements = [Double](repeating: 0, count: bytes.count / byteCount)
        unsafe elements.withUnsafeMutableBytes { target in
            unsafe bytes.withUnsafeBytes { unsafe widen($0, to: .f64, into: target) }
        }
        return elements
    }

    /// The value rounded to this type, to nearest even.
    package func rounds(_ value: Double) -> Double {
        switch self {
        case .f16: return Double(Float16(value))
        case .bf16:
            let bits = Float(value).bitPattern
            return Double(Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000))
        case .f32: return Double(Float(value))
        default: return value
        }
    }
}
