extension Checkpoint {
    /// A tensor whose rows were cut, or padded at the end, as the base has it: rows that the file lacks are the base's.
    struct FittedRows {
        let base: Checkpoint
        /// Of the base's shape; in a type that holds the values of both.
        let entry: TensorEntry
        /// Elements that come out of the file.
        let own: Int
    }

    /// The largest number of rows that a trainer pads a vocabulary by.
    private static let mostPadding = 512

    /// Whether a number of rows may be the vocabulary of `rows` tokens, cut to the tokens that are used or padded for
    /// the hardware.
    package static func isCutOrPadded(_ own: Int, of rows: Int) -> Bool {
        guard own > 0, own != rows else { return false }
        return own < rows ? own >= rows - max(mostPadding, rows / 8) : own.isMultiple(of: 8) && own - rows < mostPadding
    }

    /// Modules that hold a row for each token, at the input and at the output.
    private static let vocabularies: Set<Substring> = [
        "embed_in", "embed_tokens", "shared", "tok_embeddings", "word_embeddings", "wte", "embed_out", "lm_head",
        "output_embeddings",
    ]

    /// Whether a name is one of a tensor with a row for each token.
    package static func hasTokens(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let last = parts.last, ["weight", "bias"].contains(last) else { return false }
        let module = parts.dropLast()
        guard let own = module.last else { return false }
        return vocabularies.contains(own) || own == "predictions" || own == "vocab_projector"
            || own == "decoder" && module.dropLast().last.map { ["predictions", "lm_head"].contains($0) } == true
    }

    /// This checkpoint with the vocabulary of `base`, where all of its tensors with a row for each token have the same
    /// number of rows, fewer than the base's, or a few more at the end; else itself. Values of rows beyond the file's
    /// are the base's, and rows beyond the base's are left out. `isNeeded`: whether a tensor is to be held against the
    /// base's.
    package func fittingVocabulary(
        to base: Checkpoint, isNeeded: (String) -> Bool = { _ in true }
    ) -> Checkpoint {
        var fitted: [String: FittedRows] = [:]
        var rows: Set<[Int]> = []
        for name in names where Self.hasTokens(name) && isNeeded(name) {
            guard let own = entry(name), let other = base.entry(name), let (count, ofBase) = Self.rows(own, other)
            else {
                continue
            }
            rows.insert([count, ofBase])
            guard count != ofBase else { continue }
            guard let dtype = SafetensorsDType.holding(own.dtype, other.dtype) else { return self }
            let length = Int64(other.elementCount * dtype.byteCount)
            let start = own.bytes.lowerBound
            fitted[name] = FittedRows(
                base: base,
                entry: TensorEntry(name: name, dtype: dtype, shape: other.shape, bytes: start..<start + length),
                own: min(count, ofBase) * (own.elementCount / count))
        }
        guard !fitted.isEmpty, rows.count == 1, let pair = rows.first, Self.isCutOrPadded(pair[0], of: pair[1]) else {
            return self
        }
        return fitting(fitted)
    }

    /// The rows of two tensors whose other axes are the same; nil where they are not.
    private static func rows(_ own: TensorEntry, _ base: TensorEntry) -> (Int, Int)? {
        guard let count = own.shape.first, let other = base.shape.first,
            own.shape.dropFirst() == base.shape.dropFirst(),
            count > 0, other > 0
        else { return nil }
        return (count, other)
    }

    /// How many rows of how many the file has of the base's vocabulary; nil where they are the same.
    package var vocabularyRows: (own: Int, base: Int)? {
        guard let (name, rows) = fittedRows.min(by: { $0.key < $1.key }), let own = storedEntry(name)?.shape.first,
            let base = rows.entry.shape.first
        else { return nil }
        return (own, base)
    }

    /// Fills `buffer` with bytes of a fitted tensor, beginning `offset` bytes into it: of the file's elements, then of
    /// the base's.
    func read(_ rows: FittedRows, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(SafetensorsError)
    {
        let width = rows.entry.dtype.byteCount
        let first = Int(offset) / width
        let count = buffer.count / width
        guard offset >= 0, Int(offset) % width == 0, buffer.count % width == 0,
            first + count <= rows.entry.elementCount,
            let stored = storedEntry(rows.entry.name), let file = file(of: rows.entry.name),
            let other = rows.base.entry(rows.entry.name)
        else {
            throw .malformed(
                path: files.first?.file.path ?? rows.entry.name,
                reason: "tensor \(quoted(rows.entry.name)) is read beyond its end")
        }
        let own = max(0, min(count, rows.own - first))
        if own > 0 {
            let bytes = unsafe try Self.bytes(own * stored.dtype.byteCount) { (part) throws(SafetensorsError) in
                unsafe try file.read(stored, at: Int64(first * stored.dtype.byteCount), into: part)
            }
            unsafe bytes.withUnsafeBytes {
                unsafe stored.dtype.widen(
                    $0, to: rows.entry.dtype, into: .init(rebasing: buffer[..<(own * width)]))
            }
        }
        guard own < count else { return }
        let bytes = unsafe try Self.bytes((count - own) * other.dtype.byteCount) { (part) throws(SafetensorsError) in
            unsafe try rows.base.read(
                rows.entry.name, at: Int64((first + own) * other.dtype.byteCount), into: part)
        }
        unsafe bytes.withUnsafeBytes {
            unsafe other.dtype.widen($0, to: rows.entry.dtype, into: .init(rebasing: buffer[(own * width)...]))
        }
    }

    static func bytes(
        _ count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(SafetensorsError) -> Void
    ) throws(SafetensorsError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        unsafe try bytes.withUnsafeMutableBufferPointer { (part) throws(SafetensorsError) in
            unsafe try fill(UnsafeMutableRawBufferPointer(part))
        }
        return bytes
    }
}
