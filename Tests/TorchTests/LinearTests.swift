import Testing
import Torch

/// Recorded linear layers against the same layers in other operators, which libtorch differentiates.
@Suite struct LinearTests {
    /// The operators that a layer may be made of; in all but the first the weight lies [in, out].
    enum Form: CaseIterable { case linear, turned, addmm }

    struct Case: CustomTestStringConvertible, Sendable {
        var form: Form
        var hasBias: Bool
        /// Tokens of which only the first `seen` count in the loss.
        var seen: Int
        var testDescription: String { "\(form), \(hasBias ? "" : "no ")bias, \(seen) of 24 tokens" }
    }

    static let cases = Form.allCases.flatMap { form in
        [true, false].flatMap { hasBias in
            [24, 23, 9, 1].map { Case(form: form, hasBias: hasBias, seen: $0) }
        }
    }.filter { $0.hasBias || $0.form != .addmm }

    private static let (tokens, inputs, outputs) = (24, 7, 5)

    /// Numbers between -1 and 1, the same at every run.
    private static func noise(_ shape: [Int], seed: UInt64) throws -> Tensor {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        let values = (0..<shape.reduce(1, *)).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int32(truncatingIfNeeded: state >> 33)) / Float(Int32.max)
        }
        return try Tensor(values, shape: shape)
    }

    private static func expectNear(_ own: Tensor?, _ expected: Tensor?, _ comment: Comment? = nil) throws {
        guard let own, let expected else {
            #expect((own == nil) == (expected == nil), comment)
            return
        }
        #expect(own.shape == expected.shape, comment)
        for (value, other) in zip(try own.floats(), try expected.floats()) {
            #expect((value - other).magnitude <= 1e-5 * max(1, other.magnitude), comment)
        }
    }

    private static func layer(_ form: Form, _ input: Tensor, _ weight: Tensor, _ bias: Tensor?) throws -> Tensor {
        switch form {
        case .linear:
            return try .one("aten::linear", [.tensor(input), .tensor(weight), .optionalTensor(bias)])
        case .turned:
            return try .one("aten::linear", [.tensor(input), .tensor(weight.transposed()), .optionalTensor(bias)])
        case .addmm:
            return try .one(
                "aten::addmm", [.tensor(bias!), .tensor(input.reshaped([-1, inputs])), .tensor(weight)])
        }
    }

    /// The same without any operator of a linear layer.
    private static func plain(_ form: Form, _ input: Tensor, _ weight: Tensor, _ bias: Tensor?) throws -> Tensor {
        let matrix = form == .linear ? try weight.transposed() : weight
        let product = try Tensor.one("aten::matmul", [.tensor(input), .tensor(matrix)])
        return try bias.map { try product.adding($0) } ?? product
    }

    /// A loss with another gradient for every element, and none for tokens that are not seen.
    private static func loss(_ output: Tensor, seen: Int) throws -> Tensor {
        let output = try output.reshaped([tokens, outputs])
        let factors = try noise([tokens, outputs], seed: 5).rows(from: 0, count: seen)
        return try output.rows(from: 0, count: seen).multiplied(by: factors).multiplied(
            by: output.rows(from: 0, count: seen)
        ).sum()
    }

    private struct Values {
        let input: Tensor
        let weight: Tensor
        let bias: Tensor?

        init(_ example: Case) throws {
            input = try noise([4, 6, inputs], seed: 1)
            weight = try noise(example.form == .linear ? [outputs, inputs] : [inputs, outputs], seed: 2)
            bias = example.hasBias ? try noise([outputs], seed: 3) : nil
        }
    }

    @Test(arguments: cases) func gradientsAreThoseOfOtherOperators(_ example: Case) throws {
        func gradients(_ layer: (Form, Tensor, Tensor, Tensor?) throws -> Tensor) throws -> [Int: Tensor] {
            let values = try Values(example)
            let tape = GradientTape()
            let bias = try values.bias.map { try tape.watch($0, index: 2) }
            let output = try layer(
                example.form, tape.watch(values.input, index: 0), tape.watch(values.weight, index: 1), bias)
            var gradients: [Int: Tensor] = [:]
            try tape.backward(Self.loss(output, seen: example.seen)) { gradients[$0] = $1 }
            return gradients
        }
        let (own, expected) = try (gradients(Self.layer), gradients(Self.plain))
        #expect(own.keys == expected.keys && own.count == (example.hasBias ? 3 : 2))
        for index in 0..<3 { try Self.expectNear(own[index], expected[index], "\(index)") }
    }

    @Test(arguments: cases) func aProductIsTheWeightsGradient(_ example: Case) throws {
        let values = try Values(example)
        func parts(inProducts: Bool) throws -> [(Int, GradientTape.Part)] {
            let tape = GradientTape()
            let output = try Self.layer(
                example.form, values.input, tape.watch(values.weight, index: 1, in: inProducts ? .products : []),
                values.bias)
            var parts: [(Int, GradientTape.Part)] = []
            try tape.backward(inParts: Self.loss(output, seen: example.seen)) { parts.append(($0, $1)) }
            return parts
        }
        let (own, expected) = try (parts(inProducts: true), parts(inProducts: false))
        #expect(own.map(\.0) == [1] && expected.map(\.0) == [1])
        guard case .product(let left, let right) = own[0].1, case .whole(let gradient) = expected[0].1 else {
            Issue.record("no product, or no whole gradient")
            return
        }
        // Of 24 rows 3 or more that are zero are left out.
        let rows = example.seen < 22 ? example.seen : 24
        #expect(left.shape == [rows, values.weight.shape[0]] && right.shape == [rows, values.weight.shape[1]])
        try Self.expectNear(try left.transposed().matrixProduct(right), gradient)
    }

    @Test func everyUseOfATiedWeightCounts() throws {
        let values = try Values(Case(form: .linear, hasBias: false, seen: 24))
        func gradient(inProducts: Bool) throws -> (products: Int, sum: Tensor) {
            let tape = GradientTape()
            let weight = try tape.watch(values.weight, index: 3, in: inProducts ? .products : [])
            let first = try Self.layer(.linear, values.input, weight, nil)
            let second = try Self.layer(.linear, values.input.multiplied(by: 0.5), weight, nil)
            let table = try weight.rows(at: Tensor([0, 4, 4] as [Int64], shape: [3]))
            let loss = try Self.loss(first.multiplied(by: second), seen: 24).adding(table.multiplied(by: table).sum())
            let sum = try Tensor.zeros(values.weight.shape)
            var products = 0
            var wholes = 0
            try tape.backward(inParts: loss) { index, part in
                #expect(index == 3)
                switch part {
                case .whole(let gradient):
                    wholes += 1
                    try sum.add(gradient)
                case .product(let left, let right):
                    #expect(wholes == 0, "products come first")
                    products += 1
                    try sum.addMatrixProduct(left.transposed(), right)
                case .rows: Issue.record("rows")
                }
            }
            #expect(wholes == 1)
            return (products, sum)
        }
        let (own, expected) = try (gradient(inProducts: true), gradient(inProducts: false))
        #expect(own.products == 2 && expected.products == 0)
        try Self.expectNear(own.sum, expected.sum)
    }

    @Test func aLossThatSeesNothingGivesZeros() throws {
        let values = try Values(Case(form: .linear, hasBias: true, seen: 1))
        let tape = GradientTape()
        let output = try Self.layer(
            .linear, tape.watch(values.input, index: 0), tape.watch(values.weight, index: 1),
            values.bias.map { try tape.watch($0, index: 2) })
        var gradients: [Int: Tensor] = [:]
        try tape.backward(output.multiplied(by: 0).sum()) { gradients[$0] = $1 }
        #expect(gradients.count == 3)
        for gradient in gradients.values { #expect(try gradient.floats().allSatisfy { $0 == 0 }) }
    }

    @Test func aGradientThatIsNotANumberIsNotLeftOut() throws {
        let values = try Values(Case(form: .linear, hasBias: false, seen: 1))
        let tape = GradientTape()
        let weight = try tape.watch(values.weight, index: 1, in: .products)
        let output = try Self.layer(.linear, values.input, weight, nil).reshaped([Self.tokens, Self.outputs])
        let loss = try output.rows(from: 3, count: 1).multiplied(by: .nan).sum()
        var isFinite = true
        try tape.backward(inParts: loss) { _, part in
            guard case .product(let left, _) = part else { return }
            #expect(left.shape[0] == 1)
            isFinite = try left.isFinite()
        }
        #expect(!isFinite)
    }

    @Test func underAutocastTheGradientIsWhole() throws {
        let values = try Values(Case(form: .linear, hasBias: true, seen: 24))
        let tape = GradientTape()
        let weight = try tape.watch(values.weight, index: 1, in: .products)
        let output = try TorchRuntime.withAutocast(true) {
            try Self.layer(.linear, values.input, weight, values.bias)
        }
        #expect(output.dtype == .bfloat16)
        var isWhole = false
        try tape.backward(inParts: output.to(.float32).sum()) { _, part in
            guard case .whole(let gradient) = part else { return }
            isWhole = gradient.shape == values.weight.shape
        }
        #expect(isWhole)
    }

    @Test func nothingIsRecordedWithoutGradients() throws {
        let values = try Values(Case(form: .linear, hasBias: true, seen: 24))
        let tape = GradientTape()
        let output = try TorchRuntime.withoutGradients {
            try Self.layer(.linear, values.input, tape.watch(values.weight, index: 0), values.bias)
        }
        #expect(throws: TorchError.self) { try tape.backward(output.sum()) { _, _ in } }
    }

    @Test func whatIsFreedIsNotUsedAgain() throws {
        let values = try Values(Case(form: .linear, hasBias: true, seen: 24))
        let tape = GradientTape()
        let loss = try Self.layer(.linear, values.input, tape.watch(values.weight, index: 0), values.bias).sum()
        try tape.backward(loss) { _, _ in }
        #expect(throws: TorchError.self) { try tape.backward(loss) { _, _ in } }
    }

    @Test func whatWasWrittenOverIsNotTakenForWhatWas() throws {
        let values = try Values(Case(form: .linear, hasBias: true, seen: 24))
        let tape = GradientTape()
        let output = try Self.layer(.linear, values.input, tape.watch(values.weight, index: 0), values.bias)
        try values.input.add(Self.noise(values.input.shape, seed: 5))
        let error = #expect(throws: TorchError.self) { try tape.backward(output.sum()) { _, _ in } }
        #expect(error?.message.contains("modified by an inplace operation") == true)
    }

    @Test func anErrorOverAProductComesOut() throws {
        struct Stop: Error {}
        let values = try Values(Case(form: .linear, hasBias: true, seen: 24))
        let tape = GradientTape()
        let weight = try tape.watch(values.weight, index: 0, in: .products)
        let loss = try Self.layer(.linear, values.input, weight, values.bias).sum()
        #expect(throws: Stop.self) { try tape.backward(inParts: loss) { _, _ in throw Stop() } }
    }

    @Test func shapesThatDoNotFitAreAnError() throws {
        let tape = GradientTape()
        let weight = try tape.watch(Self.noise([3, 4], seed: 1), index: 0)
        let error = #expect(throws: TorchError.self) {
            try Self.layer(.linear, Self.noise([2, 5], seed: 2), weight, nil)
        }
        #expect(error?.message.contains("mat1 and mat2") == true)
    }
}
