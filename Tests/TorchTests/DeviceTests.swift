import Testing
import Torch

@Suite struct DeviceTests {
    @Test func aTensorKnowsItsDevice() throws {
        #expect(try Tensor(empty: [2]).device == .cpu)
        let shapes = try Tensor(empty: [3, 4], device: .meta)
        #expect(shapes.device == .meta && shapes.shape == [3, 4])
        #expect(try shapes.matrixProduct(Tensor(empty: [4, 5], device: .meta)).shape == [3, 5])
        #expect(throws: TorchError.self) { try shapes.withUnsafeMutableBytes { $0.count } }
    }

    @Test func refusesADeviceThatDoesNotExist() {
        #expect(throws: TorchError.self) { try Tensor(empty: [2], device: Device("nonsense:7")) }
    }

    @Test func outOfMemoryIsAKindOfItsOwn() {
        let error = #expect(throws: TorchError.self) { try Tensor(empty: [1 << 46]) }
        #expect(error?.kind == .outOfMemory)
        let other = #expect(throws: TorchError.self) { try Tensor.zeros([2]).matrixProduct(.zeros([3])) }
        #expect(other?.kind == .failed)
    }

    @Test func anOperatorThatRunsOutOfMemorySaysSo() throws {
        let row = try Tensor.zeros([1 << 23, 1])
        let error = #expect(throws: TorchError.self) { try row.matrixProduct(row.reshaped([1, 1 << 23])) }
        #expect(error?.kind == .outOfMemory)
    }
}
