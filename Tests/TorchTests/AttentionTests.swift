import Testing
import Torch

/// Attention one head at a time against the formula.
@Suite(.serialized) struct AttentionTests {
    fileprivate static let cases = [
        AttentionCase("no mask"),
        AttentionCase("a scale of its own") { $0.scale = 0.1 },
        AttentionCase("fewer queries than keys") { $0.queries = 3 },
        AttentionCase("another width of values") { $0.valueWidth = 5 },
        AttentionCase("one token") { ($0.queries, $0.keys) = (1, 1) },
        AttentionCase("one query") { $0.queries = 1 },
        AttentionCase("one key") { $0.keys = 1 },
        AttentionCase("one number wide") { ($0.width, $0.valueWidth) = (1, 1) },
        AttentionCase("rows longer than the registers") { ($0.queries, $0.keys, $0.width) = (37, 67, 24) },
        AttentionCase("padding") { $0.mask = .open([2, 1, 1, 7], closingRows: false) },
        AttentionCase("a mask for all") { $0.mask = .open([1, 1, 7, 7], closingRows: false) },
        AttentionCase("a mask of two axes") { $0.mask = .open([7, 7], closingRows: false) },
        AttentionCase("a mask of four axes") { $0.mask = .open([2, 3, 7, 7], closingRows: false) },
        AttentionCase("an example without keys") { $0.mask = .open([2, 1, 1, 7], closingRows: true) },
        AttentionCase("queries without keys") { $0.mask = .open([1, 1, 7, 7], closingRows: true) },
        AttentionCase("an added mask") { $0.mask = .added([1, 3, 7, 7], closingRows: false) },
        AttentionCase("an added mask of one row") { $0.mask = .added([2, 1, 1, 7], closingRows: false) },
        AttentionCase("an added mask that closes rows") { $0.mask = .added([2, 1, 7, 7], closingRows: true) },
        AttentionCase("causal") { $0.mask = .causal },
        AttentionCase("causal, more queries") { ($0.mask, $0.queries) = (.causal, 11) },
        AttentionCase("causal, more keys") { ($0.mask, $0.keys) = (.causal, 19) },
        AttentionCase("transposed from tokens") { ($0.layout, $0.queries) = (.byToken, 5) },
        AttentionCase("rows that are not contiguous") { ($0.layout, $0.queries) = (.byColumn, 5) },
        AttentionCase("unbound") { $0.layout = .packed },
        AttentionCase("unbound and causal") { ($0.layout, $0.mask) = (.packed, .causal) },
        AttentionCase("one head of keys for all") { ($0.layout, $0.mask) = (.shared, .causal) },
        AttentionCase("groups of heads") { ($0.heads, $0.keyHeads) = (6, 2) },
        AttentionCase("groups of heads, transposed") {
            ($0.heads, $0.keyHeads, $0.layout) = (6, 2, .byToken)
            $0.mask = .open([2, 1, 7, 7], closingRows: true)
        },
    ]

    private func expect(_ got: [Double], _ wanted: [Double], _ what: String) {
        #expect(got.count == wanted.count)
        let worst = zip(got, wanted).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 0
        #expect(worst < 1e-5, "\(what)")
        #expect(got.allSatisfy { $0.isFinite }, "\(what)")
    }

    @Test(arguments: cases) func valuesAndGradientsAreThoseOfTheFormula(attention: AttentionCase) throws {
        let result = try attention.result()
        let reference = try attention.reference()
        #expect(result.headStride == attention.valueWidth, "the fused way was taken")
        expect(result.value, reference.value, "value")
        #expect(result.gradients.count == reference.gradients.count)
        for (place, pair) in zip(result.gradients, reference.gradients).enumerated() {
            expect(pair.0, pair.1, "gradient \(place)")
        }
    }

    @Test(arguments: cases) func whatIsNotRecordedIsTheSame(attention: AttentionCase) throws {
        #expect(try attention.valueWithoutGradients().doubles() == attention.result().value)
    }

    /// In a process of its own: the thread count is the whole process's.
    @Test func givesSameBytesWithOneThreadAndTwoInOwnProcess() async {
        await #expect(processExitsWith: .success) {
            for attention in AttentionTests.cases {
                try TorchRuntime.setThreads(1)
                let one = try attention.result()
                try TorchRuntime.setThreads(2)
                let two = try attention.result()
                #expect(one.value == two.value && one.gradients == two.gradients, "\(attention)")
            }
        }
    }

    @Test func closedRowsGiveZerosWithoutGradients() throws {
        let attention = AttentionCase("") {
            ($0.batch, $0.heads, $0.keyHeads, $0.queries, $0.keys) = (1, 1, 1, 3, 4)
            $0.mask = .open([1, 1, 3, 4], closingRows: true)
        }
        let result = try attention.result()
        #expect(result.value[8..<16].allSatisfy { $0 == 0 })
        #expect(result.gradients[0][8..<16].allSatisfy { $0 == 0 })
        #expect(result.value[..<8].contains { $0 != 0 })
    }

    @Test(arguments: [Float.nan, .infinity]) func aScoreThatIsNoNumberIsNotHidden(number: Float) throws {
        var values = (0..<12).map { Float($0) }
        values[4] = number
        let query = try Tensor(values, shape: [1, 1, 3, 4])
        let key = try Tensor((0..<12).map { Float($0 % 5) - 2 }, shape: [1, 1, 3, 4])
        let result = try Tensor.one(
            "supermerge::scaled_dot_product_attention", [.tensor(query), .tensor(key), .tensor(key)]
        ).floats()
        #expect(result[4..<8].allSatisfy { $0.isNaN })
        #expect((result[..<4] + result[8...]).allSatisfy { $0.isFinite })
    }

    @Test func halfPrecisionUnderAutocastTakesTheOtherWay() throws {
        let attention = AttentionCase("") { $0.mask = .open([2, 1, 1, 7], closingRows: false) }
        let reference = try attention.reference()
        let leaves = try attention.leaves().map { try $0.to(.bfloat16) }
        let value = try TorchRuntime.withAutocast(true) { try attention.attend(leaves[0], leaves[1], leaves[2]) }
        #expect(value.dtype == .bfloat16 && value.shape == [2, 3, 7, 8])
        let stride = try Tensor.one("supermerge::sym_stride", "int", [.tensor(value), .int(1)]).item()
        #expect(stride == 7 * 8)
        for (got, wanted) in zip(try value.doubles(), reference.value) { #expect(abs(got - wanted) < 0.03) }
    }

    @Test func aMaskThatIsLearnedHasItsGradient() throws {
        let attention = AttentionCase("")
        let leaves = try attention.leaves()
        let tape = GradientTape()
        let bias = try tape.watch(Tensor((0..<49).map { Float($0 % 6) / 6 }, shape: [1, 1, 7, 7]), index: 0)
        let value = try Tensor.one(
            "supermerge::scaled_dot_product_attention",
            [.tensor(leaves[0]), .tensor(leaves[1]), .tensor(leaves[2]), .tensor(bias)])
        var gradient: [Float] = []
        try tape.backward(value.sum()) { gradient = try $1.floats() }
        #expect(gradient.contains { abs($0) > 1e-3 })
        for row in 0..<7 { #expect(abs(gradient[row * 7..<row * 7 + 7].reduce(0, +)) < 1e-5) }
    }

    @Test func nothingToAttendToOrFromIsNoTrap() throws {
        let some = try Tensor.zeros([1, 2, 3, 4])
        let none = try Tensor.zeros([1, 2, 0, 4])
        let name = "supermerge::scaled_dot_product_attention"
        #expect(try Tensor.one(name, [.tensor(none), .tensor(some), .tensor(some)]).shape == [1, 2, 0, 4])
        #expect(try Tensor.one(name, [.tensor(some), .tensor(none), .tensor(none)]).floats().allSatisfy { $0 == 0 })
    }

    @Test func shapesThatDoNotFitAreErrors() throws {
        let some = try Tensor.zeros([1, 2, 3, 4])
        for (key, mask) in [([1, 2, 3, 5], [3, 3]), ([1, 2, 3, 4], [3, 4]), ([1, 2, 3, 4], [1, 1, 1, 3, 3])] {
            #expect(throws: TorchError.self) {
                try Tensor.one(
                    "supermerge::scaled_dot_product_attention",
                    [.tensor(some), .tensor(.zeros(key)), .tensor(.zeros(key)), .tensor(.zeros(mask))])
            }
        }
    }
}
