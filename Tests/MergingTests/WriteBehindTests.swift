import Testing

@testable import Merging

/// Buffers that are handed on while the next one is filled.
@Suite struct WriteBehindTests {
    private struct Fault: Error {}

    @Test func buffersArriveInOrder() throws {
        var received: [UInt8] = []
        let behind = WriteBehind { received += $0 }
        for byte in 0..<100 {
            try behind.write(1 + byte % 3) { buffer in
                for place in buffer.indices { buffer[place] = UInt8(byte) }
            }
        }
        try behind.finish()
        #expect(received == (0..<100).flatMap { [UInt8](repeating: UInt8($0), count: 1 + $0 % 3) })
    }

    @Test func buffersGrowAndAreUsedAgain() throws {
        let sizes = [1, 5, 4096, 3, 100_000, 0, 99_999, 1 << 20, 7]
        var received: [UInt8] = []
        let behind = WriteBehind { received += $0 }
        for (number, size) in sizes.enumerated() {
            try behind.write(size) { buffer in
                #expect(buffer.count == size)
                for place in buffer.indices { buffer[place] = UInt8(truncatingIfNeeded: number + place) }
            }
        }
        try behind.finish()
        let expected = sizes.enumerated().flatMap { number, size in
            (0..<size).map { UInt8(truncatingIfNeeded: number + $0) }
        }
        #expect(received == expected)
    }

    @Test func nothingWrittenIsNoFault() throws {
        try WriteBehind { _ in throw Fault() }.finish()
    }

    @Test func aFaultOfTheFillerEndsItWhileABufferIsUnderWay() {
        for _ in 0..<200 {
            #expect(throws: Fault.self) {
                let behind = WriteBehind { _ in }
                try behind.write(1 << 16) { _ in }
                try behind.write(1) { _ in throw Fault() }
            }
        }
    }

    @Test func aFaultOfTheReceiverIsThrownAtTheEnd() throws {
        let behind = WriteBehind { _ in throw Fault() }
        try behind.write(1) { _ in }
        #expect(throws: Fault.self) { try behind.finish() }
        #expect(throws: Fault.self) { try behind.finish() }
    }

    /// The third buffer waits for the first, so a merge of hours does not go on after its disk is full.
    @Test func aFaultOfTheReceiverEndsTheWritingAndNothingElseIsHandedOn() throws {
        var (filled, handedOn) = (0, 0)
        let behind = WriteBehind { _ in
            handedOn += 1
            throw Fault()
        }
        #expect(throws: Fault.self) {
            for _ in 0..<100 { try behind.write(1) { _ in filled += 1 } }
        }
        #expect(throws: Fault.self) { try behind.finish() }
        #expect(filled <= 2 && handedOn == 1)
    }
}
