import Testing
import Torch

@Suite struct CompatibilityOperatorTests {
    private func number(_ name: String, _ arguments: Tensor.Argument...) throws -> Double {
        try Tensor.one("supermerge::py_\(name)", arguments).item()
    }

    @Test func lengthsAreDividedAsPythonDoes() throws {
        #expect(try number("floordiv", .int(-7), .int(2)) == -4)
        #expect(try number("mod", .int(-7), .int(3)) == 2)
        #expect(try number("mod", .int(7), .int(-3)) == -2)
        #expect(try number("truediv", .int(7), .int(2)) == 3.5)
        #expect(try number("pow", .int(3), .int(4)) == 81)
        #expect(try number("pow", .int(2), .int(-1)) == 0.5)
        #expect(try number("sum", .ints([1, 2, 3])) == 6)
        #expect(try number("ite", .bool(false), .int(1), .int(2)) == 2)
        #expect(try number("ceil", .double(1.2)) == 2)
        #expect(try number("max", .int(3), .double(2.5)) == 3)
    }

    @Test(arguments: ["add", "mul", "pow"]) func overflowIsAnError(name: String) {
        #expect(throws: TorchError.self) { try number(name, .int(.max), .int(.max)) }
    }

    @Test func divisionByZeroIsAnError() {
        #expect(throws: TorchError.self) { try number("floordiv", .int(1), .int(0)) }
        #expect(throws: TorchError.self) { try number("mod", .int(1), .int(0)) }
        #expect(throws: TorchError.self) { try number("floordiv", .int(.min), .int(-1)) }
        #expect(throws: TorchError.self) { try number("int", .double(.nan)) }
    }

    @Test func attentionToNothingGivesZerosAndFiniteGradients() throws {
        let tape = GradientTape()
        let query = try tape.watch(Tensor([1, 2, 3, 4] as [Float], shape: [1, 2, 2]), index: 0)
        let mask = try Tensor([0, -.infinity, -.infinity, -.infinity] as [Float], shape: [1, 2, 2])
        let result = try Tensor.one(
            "supermerge::scaled_dot_product_attention",
            [.tensor(query), .tensor(query), .tensor(query), .tensor(mask)])
        #expect(try result.floats() == [1, 2, 0, 0])
        try tape.backward(result.sum()) { _, gradient in
            let isFinite = try gradient.isFinite()
            #expect(isFinite)
        }
    }
}
