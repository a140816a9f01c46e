import Testing
import Torch

/// One attention with random numbers, and softmax(q kᵀ · scale + mask) v written out in double precision.
struct AttentionCase: CustomTestStringConvertible, Sendable {
    enum Layout: Sendable {
        /// As it is computed: [B,H,L,D].
        case plain
        /// [B,L,H,D], transposed: what a projection leaves.
        case byToken
        /// [B,H,D,L], transposed: no row is contiguous.
        case byColumn
        /// One [B,L,3,H,D], unbound and transposed.
        case packed
        /// One head of keys and values, expanded over all.
        case shared
    }
    enum Mask: Sendable {
        case none, causal
        /// Shape, and whether (true) elements are Boolean; some rows may be closed altogether.
        case open([Int], closingRows: Bool)
        case added([Int], closingRows: Bool)
    }

    var testDescription: String
    var (batch, heads, queries, keys, width, valueWidth) = (2, 3, 7, 7, 8, 8)
    /// Heads of keys and values.
    var keyHeads = 3
    var mask = Mask.none
    var layout = Layout.plain
    var scale: Double?

    init(_ name: String, _ change: (inout Self) -> Void = { _ in }) {
        testDescription = name
        change(&self)
    }

    struct Result {
        var value: [Double]
        var gradients: [[Double]]
        /// Elements between two heads of the value.
        var headStride: Int
    }

    private static func numbers(_ shape: [Int], seed: UInt64) throws -> Tensor {
        var state = seed
        let values = (0..<shape.reduce(1, *)).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 23) - 1
        }
        return try Tensor(values, shape: shape)
    }

    /// What gradients are taken of, in memory as the layout says.
    func leaves() throws -> [Tensor] {
        let query = [batch, heads, queries, width]
        let key = [batch, layout == .shared ? 1 : keyHeads, keys, width]
        let value = [key[0], key[1], keys, valueWidth]
        func stored(_ shape: [Int]) -> [Int] {
            switch layout {
            case .byToken: [shape[0], shape[2], shape[1], shape[3]]
            case .byColumn: [shape[0], shape[1], shape[3], shape[2]]
            default: shape
            }
        }
        if layout == .packed { return [try Self.numbers([batch, queries, 3, heads, width], seed: 1)] }
        return try [query, key, value].enumerated().map { try Self.numbers(stored($1), seed: UInt64($0 + 1)) }
    }

    private func views(_ leaves: [Tensor]) throws -> [Tensor] {
        func turned(_ tensor: Tensor, _ first: Int, _ second: Int) throws -> Tensor {
            try Tensor.one("aten::transpose", "int", [.tensor(tensor), .int(first), .int(second)])
        }
        switch layout {
        case .plain: return leaves
        case .byToken: return try leaves.map { try turned($0, 1, 2) }
        case .byColumn: return try leaves.map { try turned($0, 2, 3) }
        case .packed:
            return try Tensor.call("aten::unbind", "int", [.tensor(leaves[0]), .int(2)]).map { try turned($0, 1, 2) }
        case .shared:
            return try [leaves[0]]
                + leaves.dropFirst().map { tensor in
                    var shape = tensor.shape
                    shape[1] = heads
                    return try Tensor.one("aten::expand", [.tensor(tensor), .ints(shape)])
                }
        }
    }

    /// The mask as the operator gets it; [L,S] or a shape that broadcasts.
    func givenMask() throws -> Tensor? {
        switch mask {
        case .none, .causal: return nil
        case .open(let shape, let closingRows):
            return try Tensor(openness(shape, closingRows), shape: shape).to(.bool)
        case .added(let shape, let closingRows):
            let noise = try Self.numbers(shape, seed: 9).floats()
            let values = zip(openness(shape, closingRows), noise).map { $0 == 1 ? $1 : -.infinity }
            return try Tensor(values, shape: shape)
        }
    }

    private func openness(_ shape: [Int], _ closingRows: Bool) -> [Float] {
        let keys = shape[shape.count - 1]
        return (0..<shape.reduce(1, *)).map { place in
            let (row, key) = (place / keys, place % keys)
            if closingRows, row % 3 == 1 { return 0 }
            return (row * 5 + key * 3) % 4 == 0 && key != row % keys ? 0 : 1
        }
    }

    func attend(_ query: Tensor, _ key: Tensor, _ value: Tensor) throws -> Tensor {
        var isCausal = false
        if case .causal = mask { isCausal = true }
        return try Tensor.one(
            "supermerge::scaled_dot_product_attention",
            [
                .tensor(query), .tensor(key), .tensor(value), .optionalTensor(givenMask()), .double(0), .bool(isCausal),
                scale.map { .double($0) } ?? .none, .bool(keyHeads != heads),
            ])
    }

    /// The operator under test.
    func result() throws -> Result {
        try differentiated(leaves()) { query, key, value in try attend(query, key, value) }
    }

    /// The value alone, without a record for gradients.
    func valueWithoutGradients() throws -> Tensor {
        try TorchRuntime.withoutGradients {
            let views = try views(leaves())
            return try attend(views[0], views[1], views[2])
        }
    }

    /// In double precision; closed elements get -10³⁰⁰, and rows without an open one are multiplied by 0.
    func reference() throws -> Result {
        try differentiated(leaves().map { try $0.to(.float64) }) { query, key, value in
            var (key, value) = (key, value)
            if keyHeads != heads {
                (key, value) = (try repeated(key), try repeated(value))
            }
            let turned = try Tensor.one("aten::transpose", "int", [.tensor(key), .int(2), .int(3)])
            let factor = scale ?? 1 / Double(width).squareRoot()
            var scores = try Tensor.one("aten::matmul", [.tensor(query), .tensor(turned)]).multiplied(by: factor)
            guard let bias = try bias() else {
                return try Tensor.one("aten::matmul", [.tensor(scores.softmax()), .tensor(value)])
            }
            scores = try scores.adding(bias)
            let highest = try Tensor.one("aten::amax", [.tensor(bias), .ints([-1]), .bool(true)])
            let isOpen = try Tensor.one("aten::gt", "Scalar", [.tensor(highest), .double(-1e299)]).to(.float64)
            let weights = try scores.softmax().multiplied(by: isOpen)
            return try Tensor.one("aten::matmul", [.tensor(weights), .tensor(value)])
        }
    }

    private func repeated(_ tensor: Tensor) throws -> Tensor {
        try .one("aten::repeat_interleave", "self_int", [.tensor(tensor), .int(heads / keyHeads), .int(1)])
    }

    private func bias() throws -> Tensor? {
        switch mask {
        case .none: return nil
        case .causal:
            let values = (0..<queries * keys).map { $0 % keys > $0 / keys ? -1 : 0 as Float }
            return try Tensor(values, shape: [queries, keys]).to(.float64).multiplied(by: 1e300)
        case .open:
            let isOpen = try #require(try givenMask()).to(.float64)
            return try isOpen.adding(Tensor([-1] as [Float], shape: []).to(.float64)).multiplied(by: 1e300)
        case .added:
            let added = try #require(try givenMask()).to(.float64)
            return try .one("aten::clamp", [.tensor(added), .double(-1e300), .none])
        }
    }

    private func differentiated(
        _ leaves: [Tensor], _ body: (Tensor, Tensor, Tensor) throws -> Tensor
    ) throws -> Result {
        let tape = GradientTape()
        let watched = try leaves.enumerated().map { try tape.watch($1, index: $0) }
        let views = try views(watched)
        let value = try body(views[0], views[1], views[2])
        let slope = try Self.numbers(value.shape, seed: 4).to(value.dtype)
        var gradients = leaves.map { _ in [Double]() }
        try tape.backward(value.multiplied(by: slope).sum()) { gradients[$0] = try $1.doubles() }
        let stride = try Tensor.one("supermerge::sym_stride", "int", [.tensor(value), .int(1)]).item()
        return Result(value: try value.doubles(), gradients: gradients, headStride: Int(stride))
    }
}
