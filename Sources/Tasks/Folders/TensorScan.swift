import Files
import Safetensors

/// Looks at a safetensors file's bytes as they pass by on their way into the digest: searches NaN and Inf, and sums up
/// how the trunk lies to the base's. Memory: a few buffers of a chunk's size.
struct TensorScan {
    /// The first tensor with a NaN or an infinity.
    private(set) var notFinite: String?
    /// Nil where there is nothing to compare with.
    private(set) var resemblance: CosineSums?

    /// Of each tensor of `tied` its type, shape, and SHA-256.
    private(set) var contents: [String: String] = [:]

    /// The value of each floating-point tensor whose elements, two or more, are all the same.
    private(set) var constants: [String: Double] = [:]
    /// The current tensor's first element, as long as the others have been the same.
    private var constant: [UInt8]?

    /// Tensors that have more than a few elements that are zero where the base's are not.
    private(set) var zeroed: [String: ZeroedElements] = [:]
    private var zeros = ZeroCount()
    private var hasCount = false

    /// Of matrices that point another way than the base's their cosine.
    private(set) var turned: [String: Double] = [:]
    /// The sums before the current tensor, and how many of its elements were compared.
    private var before: CosineSums?
    private var compared = 0

    private let entries: [TensorEntry]
    private let tied: Set<String>
    private var digest = Digest()
    private let parameters: ParameterCheck?
    private var current = 0
    /// The beginning of an element that the end of a chunk has cut.
    private var cut: [UInt8] = []
    private var own: [Float] = []
    private var theirs: [Float] = []
    private var raw: [UInt8] = []

    /// `entries` in the order of their bytes. `parameters` knows the base that they are compared with. `tied`: the
    /// names of those that are to be compared with others of this checkpoint.
    init(_ entries: [TensorEntry], comparing parameters: ParameterCheck?, tied: Set<String> = []) {
        self.entries = entries
        self.tied = tied
        self.parameters = parameters
        resemblance = parameters.map { CosineSums(base: $0.comparison) }
    }

    /// The next chunk of the file, which begins at byte `offset` of it.
    mutating func visit(_ chunk: UnsafeRawBufferPointer, at offset: Int64) throws {
        if Task.isCancelled { throw CancellationError() }
        let end = offset + Int64(chunk.count)
        while current < entries.count, entries[current].bytes.lowerBound < end {
            let entry = entries[current]
            let from = max(entry.bytes.lowerBound, offset)
            let to = min(entry.bytes.upperBound, end)
            if from < to && tied.contains(entry.name) {
                unsafe digest.update(
                    UnsafeRawBufferPointer(rebasing: chunk[Int(from - offset)..<Int(to - offset)]))
            }
            if from < to && entry.dtype.kind == .real {
                unsafe try look(
                    at: UnsafeRawBufferPointer(rebasing: chunk[Int(from - offset)..<Int(to - offset)]), of: entry,
                    from: from - entry.bytes.lowerBound)
            }
            if entry.bytes.upperBound > end { return }
            concludeConstant(entry)
            if tied.contains(entry.name) {
                contents[entry.name] = "\(entry.dtype.rawValue) \(entry.shape) \(digest.hexadecimal())"
                digest = Digest()
            }
            current += 1
        }
    }

    /// To be called where the end of the last tensor was not visited.
    mutating func finish() {
        if current < entries.count { concludeConstant(entries[current]) }
    }

    private mutating func concludeConstant(_ entry: TensorEntry) {
        if let value = constant.flatMap(entry.dtype.value), entry.elementCount > 1 { constants[entry.name] = value }
        constant = nil
        if let found = zeros.elements { zeroed[entry.name] = found }
        zeros = ZeroCount()
        hasCount = false
        if let before, let cosine = resemblance?.cosine(since: before), entry.shape.count > 1,
            compared >= CosineSums.fewestElements, cosine < CosineSums.leastOfMatrix
        {
            turned[entry.name] = cosine
        }
        (before, compared) = (nil, 0)
    }

    /// `piece` begins `position` bytes into the tensor.
    private mutating func look(
        at piece: UnsafeRawBufferPointer, of entry: TensorEntry, from position: Int64
    ) throws {
        let width = entry.dtype.byteCount
        var piece = unsafe piece
        var position = position
        if !cut.isEmpty {
            let wanted = min(width - cut.count, piece.count)
            unsafe cut += piece[..<wanted]
            position += Int64(wanted)
            unsafe piece = UnsafeRawBufferPointer(rebasing: piece[wanted...])
            guard cut.count == width else { return }
            let element = cut
            cut = []
            unsafe try element.withUnsafeBytes { bytes in
                unsafe try takeElements(bytes, of: entry, from: position - Int64(width))
            }
        }
        let whole = piece.count / width * width
        if whole > 0 {
            unsafe try takeElements(UnsafeRawBufferPointer(rebasing: piece[..<whole]), of: entry, from: position)
        }
        unsafe cut += piece[whole...]
    }

    private mutating func takeElements(
        _ bytes: UnsafeRawBufferPointer, of entry: TensorEntry, from position: Int64
    ) throws {
        if notFinite == nil, unsafe entry.dtype.hasNonFinite(bytes) { notFinite = entry.name }
        if position == 0 { unsafe constant = Array(bytes.prefix(entry.dtype.byteCount)) }
        if let value = constant, unsafe !bytes.repeats(value) { constant = nil }
        guard let parameters, parameters.isCompared(entry),
            let other = parameters.base.checkpoint.entry(entry.name)
        else { return }
        if before == nil { before = resemblance }
        let count = bytes.count / entry.dtype.byteCount
        compared += count
        let width = other.dtype.byteCount
        Self.grow(&own, to: count)
        Self.grow(&theirs, to: count)
        if raw.count < count * width { raw = [UInt8](repeating: 0, count: count * width) }
        let start = position / Int64(entry.dtype.byteCount) * Int64(width)
        unsafe try raw.withUnsafeMutableBytes { buffer in
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<(count * width)])
            unsafe try parameters.base.checkpoint.read(entry.name, at: start, into: part)
            unsafe theirs.withUnsafeMutableBufferPointer {
                unsafe other.dtype.widen(UnsafeRawBufferPointer(part), into: $0)
            }
        }
        unsafe own.withUnsafeMutableBufferPointer { unsafe entry.dtype.widen(bytes, into: $0) }
        if resemblance?.isEqual == true, !areEqual(count, entry.dtype, other.dtype) { resemblance?.isEqual = false }
        if !hasCount {
            let rows = entry.shape.count > 1 ? entry.shape[0] : 0
            zeros = ZeroCount(
                row: rows > 1 ? entry.elementCount / rows : 0, width: entry.dtype.byteCount,
                start: entry.bytes.lowerBound)
            hasCount = true
        }
        zeros.add(own[..<count], theirs[..<count])
        addProducts(count)
    }

    /// Whether the first `count` elements are the base's, rounded to the narrower of the two types.
    private func areEqual(_ count: Int, _ dtype: SafetensorsDType, _ base: SafetensorsDType) -> Bool {
        guard dtype != base else { return own[..<count] == theirs[..<count] }
        let narrow = dtype.byteCount < base.byteCount ? dtype : base
        return (0..<count).allSatisfy { narrow.rounds(Double(own[$0])) == narrow.rounds(Double(theirs[$0])) }
    }

    private static func grow(_ floats: inout [Float], to count: Int) {
        if floats.count < count { floats = [Float](repeating: 0, count: count) }
    }

    /// Adds the products of the first `count` elements, in f64.
    private mutating func addProducts(_ count: Int) {
        var (product, square, otherSquare) = (SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero)
        unsafe own.withUnsafeBytes { own in
            unsafe theirs.withUnsafeBytes { theirs in
                for block in 0..<count / 8 {
                    let left = unsafe SIMD8<Double>(
                        own.loadUnaligned(fromByteOffset: block &* 32, as: SIMD8<Float>.self))
                    let right = unsafe SIMD8<Double>(
                        theirs.loadUnaligned(fromByteOffset: block &* 32, as: SIMD8<Float>.self))
                    product += left * right
                    square += left * left
                    otherSquare += right * right
                }
            }
        }
        for index in count / 8 * 8..<count {
            let (left, right) = (Double(own[index]), Double(theirs[index]))
            product[0] += left * right
            square[0] += left * left
            otherSquare[0] += right * right
        }
        resemblance?.product += product.sum()
        resemblance?.own += square.sum()
        resemblance?.theirs += otherSquare.sum()
    }
}
