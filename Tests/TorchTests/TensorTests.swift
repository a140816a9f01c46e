import Testing
import Torch

@Suite struct TensorTests {
    @Test func valuesComeBackInEveryElementType() throws {
        let tensor = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
        #expect(tensor.shape == [2, 3])
        #expect(tensor.elementCount == 6)
        for type in DType.allCases where type != .bool {
            let converted = try tensor.to(type)
            #expect(converted.dtype == type)
            #expect(try converted.floats() == [1, 2, 3, 4, 5, 6])
            #expect(try converted.withUnsafeMutableBytes { $0.count } == 6 * type.byteCount)
        }
    }

    @Test func aScalarHasNoAxes() throws {
        let sum = try Tensor([1, 2, 3] as [Float], shape: [3]).sum()
        #expect(sum.shape == [])
        #expect(try sum.item() == 6)
    }

    @Test func aWrongCountOfValuesIsAnError() {
        #expect(throws: TorchError.self) { try Tensor([1, 2] as [Float], shape: [3]) }
        #expect(throws: TorchError.self) { try Tensor(empty: [-1]) }
        #expect(throws: TorchError.self) { try Tensor([1, 2] as [Float], shape: [2]).item() }
    }

    @Test func memoryIsSharedByViewsAndNotByCopies() throws {
        let tensor = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
        let row = try tensor.rows(from: 1, count: 1)
        let copy = try tensor.clone()
        try row.add(try Tensor([1] as [Float], shape: [1]), alpha: 10)
        #expect(try tensor.floats() == [1, 2, 13, 14])
        #expect(try copy.floats() == [1, 2, 3, 4])
    }

    @Test func bytesOfATensorThatIsNotContiguousAreRefused() throws {
        let tensor = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
        let transposed = try Tensor.one("aten::transpose", "int", [.tensor(tensor), .int(0), .int(1)])
        #expect(throws: TorchError.self) { try transposed.withUnsafeMutableBytes { $0.count } }
        #expect(try transposed.floats() == [1, 3, 2, 4])
    }

    @Test func cppExceptionBecomesAnError() throws {
        let first = try Tensor.zeros([2, 3])
        let second = try Tensor.zeros([2, 3])
        let error = #expect(throws: TorchError.self) {
            try Tensor.call("aten::matmul", [.tensor(first), .tensor(second)])
        }
        #expect(error?.message.contains("2x3") == true)
    }

    @Test func anUnknownOperatorIsNamed() throws {
        let error = #expect(throws: TorchError.self) { try Tensor.call("aten::no_such_operator", "x", []) }
        #expect(error?.message.contains("aten::no_such_operator.x") == true)
    }

    @Test func aMissingArgumentIsNamed() throws {
        let error = #expect(throws: TorchError.self) { try Tensor.call("aten::matmul", [.tensor(try .zeros([1]))]) }
        #expect(error?.message.contains("other") == true)
    }

    @Test func aStringWhereATensorBelongsIsAnError() {
        #expect(throws: TorchError.self) { try Tensor.call("aten::relu", [.string("no tensor")]) }
    }

    @Test func arithmetic() throws {
        let a = try Tensor([1, 2, 3] as [Float], shape: [3])
        let b = try Tensor([4, 5, 6] as [Float], shape: [3])
        #expect(try a.adding(b, alpha: 2).floats() == [9, 12, 15])
        #expect(try b.subtracting(a).floats() == [3, 3, 3])
        #expect(try a.multiplied(by: b).floats() == [4, 10, 18])
        #expect(try a.multiplied(by: 0.5).floats() == [0.5, 1, 1.5])
        #expect(try a.dot(b) == 32)
        let sum = try a.clone()
        try sum.addProduct(a, b, alpha: 2)
        #expect(try sum.floats() == [9, 22, 39])
        try sum.copy(b)
        #expect(try sum.floats() == [4, 5, 6])
        #expect(try a.isFinite())
        #expect(try !Tensor([1, .nan] as [Float], shape: [2]).isFinite())
    }

    @Test func rowsAreChosenAndJoined() throws {
        let tensor = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2])
        let chosen = try tensor.rows(at: Tensor([2, 0] as [Int64], shape: [2]))
        #expect(try chosen.floats() == [5, 6, 1, 2])
        #expect(try Tensor.concatenated([chosen, tensor.rows(from: 1, count: 1)]).shape == [3, 2])
        #expect(try tensor.sum(over: [0]).floats() == [9, 12])
        #expect(try tensor.argmax().integers() == [1, 1, 1])
    }

    @Test func crossEntropyIgnoresTheIgnoredLabel() throws {
        let logits = try Tensor([0, 0, 0, 0] as [Float], shape: [2, 2])
        let labels = try Tensor([1, -100] as [Int64], shape: [2])
        #expect(abs(try logits.crossEntropy(labels).item() - 0.6931472) < 1e-6)
        #expect(try logits.crossEntropy(labels, reduction: .none).floats()[1] == 0)
    }

    @Test func listsOfResultsFollowOneAnother() throws {
        let parts = try Tensor.call("aten::unbind", "int", [.tensor(Tensor([1, 2] as [Float], shape: [2]))])
        #expect(try parts.map { try $0.item() } == [1, 2])
    }
}
