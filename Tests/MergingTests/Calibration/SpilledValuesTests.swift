import Foundation
import Testing
import Torch

@testable import Merging

/// Values that wait in a file.
struct SpilledValuesTests {
    private func numbers(_ count: Int) -> [Float] { (0..<count).map(Float.init) }

    @Test func comesBackWithItsLayout() throws {
        try Fixture.temporarily { directory in
            let file = try SpilledValues(scratch: directory)
            let matrix = try Tensor(numbers(512 * 300), shape: [512, 300])
            for tensor in [matrix, try matrix.transposed()] {
                let back = try #require(try file.store(tensor)).tensor()
                #expect(back.shape == tensor.shape && back.strides == tensor.strides)
                #expect(try back.floats() == tensor.floats())
            }
        }
    }

    @Test func smallOverlappingAndOtherValuesStayInMemory() throws {
        try Fixture.temporarily { directory in
            let file = try SpilledValues(scratch: directory)
            let matrix = try Tensor(numbers(1_024 * 300), shape: [1_024, 300])
            #expect(try file.store(matrix.columns(from: 0, count: 200)) == nil)
            #expect(try file.store(matrix.to(.float64)) == nil)
            #expect(try file.store(Tensor(numbers(16), shape: [16])) == nil)
        }
    }

    @Test func spaceOfDroppedValuesIsUsedAgain() throws {
        try Fixture.temporarily { directory in
            let file = try SpilledValues(scratch: directory)
            for value in 0..<8 {
                let tensor = try Tensor([Float](repeating: Float(value), count: 1 << 17), shape: [1 << 17])
                let stored = try #require(try file.store(tensor))
                #expect(try stored.tensor().floats().last == Float(value))
                #expect(file.bytes == 4 << 17)
            }
        }
    }
}
