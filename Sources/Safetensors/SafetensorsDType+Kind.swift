extension SafetensorsDType {
    package enum Kind { case real, integer }

    package var kind: Kind {
        switch self {
        case .f16, .bf16, .f32, .f64: .real
        case .bool, .u8, .i8, .i16, .u16, .i32, .u32, .i64, .u64: .integer
        }
    }

    /// The kind of a type by PyTorch's name for it (`float32`, `int64`, `bool`, …).
    package static func kind(ofTorch name: String) -> Kind {
        name.contains("float") ? .real : .integer
    }

    /// Whether a NaN or an infinity is among the elements in `bytes`: an exponent of all ones.
    package func hasNonFinite(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .f32: unsafe Self.find(bytes, exponent: 0x7F80_0000 as UInt32)
        case .bf16: unsafe Self.find(bytes, exponent: 0x7F80 as UInt16)
        case .f16: unsafe Self.find(bytes, exponent: 0x7C00 as UInt16)
        case .f64: unsafe Self.find(bytes, exponent: 0x7FF0_0000_0000_0000 as UInt64)
        default: false
        }
    }

    /// Whether an element has all bits of `exponent` set. One flag over the whole run, so that the loop vectorises.
    @inline(__always)
    private static func find<Bits: FixedWidthInteger & UnsignedInteger>(
        _ bytes: UnsafeRawBufferPointer, exponent: Bits
    ) -> Bool {
        var found: Bits = 0
        let width = MemoryLayout<Bits>.size
        for index in 0..<bytes.count / width {
            let bits = unsafe Bits(littleEndian: bytes.loadUnaligned(fromByteOffset: index &* width, as: Bits.self))
            found |= bits & exponent == exponent ? 1 : 0
        }
        return found != 0
    }

    /// The elements in `bytes` as f32, into `floats`, which has room for them. Nothing for integers.
    package func widen(_ bytes: UnsafeRawBufferPointer, into floats: UnsafeMutableBufferPointer<Float>) {
        let count = bytes.count / byteCount
        precondition(floats.count >= count, "no room for the elements")
        switch self {
        case .f32:
            for index in 0..<count {
                unsafe floats[index] = bytes.loadUnaligned(fromByteOffset: index &* 4, as: Float.self)
            }
        case .bf16:
            for index in 0..<count {
                let bits = unsafe bytes.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)
                unsafe floats[index] = Float(bitPattern: UInt32(bits) << 16)
            }
        case .f16:
            for index in 0..<count {
                let bits = unsafe bytes.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)
                unsafe floats[index] = Float(Float16(bitPattern: bits))
            }
        case .f64:
            for index in 0..<count {
                unsafe floats[index] = Float(bytes.loadUnaligned(fromByteOffset: index &* 8, as: Double.self))
            }
        default: break
        }
    }
}
