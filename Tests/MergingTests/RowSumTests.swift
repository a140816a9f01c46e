import Testing
import Torch

@testable import Merging

@Suite struct RowSumTests {
    @Test func rowsAreAddedUpAndComeInOrder() throws {
        let sum = RowSum(columns: 2)
        try sum.add(
            Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2]), at: Tensor([7, 0, 7] as [Int64], shape: [3]))
        try sum.add(Tensor([10, 20, 30, 40] as [Float], shape: [2, 2]), at: Tensor([0, 3] as [Int64], shape: [2]))
        var rows: [Int] = []
        var values: [[Float]] = []
        try sum.forEach { row, start in
            rows.append(row)
            values.append([start[0], start[1]])
        }
        #expect(rows == [0, 3, 7])
        #expect(values == [[13, 24], [30, 40], [6, 8]])
    }
}
