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

    @Test func aFaultOfTheFillerEndsItWhileABufferIsUnderWay() {
        for _ in 0..<200 {
            #expect(throws: Fault.self) {
                let behind = WriteBehind { _ in }
                try behind.write(1 << 16) { _ in }
                try behind.write(1) { _ in throw Fault() }
            }
        }
    }

    @Test func aFaultOfTheReceiverIsThrownByTheNextWriteOrAtTheEnd() {
        #expect(throws: Fault.self) {
            let behind = WriteBehind { _ in throw Fault() }
            for _ in 0..<3 { try behind.write(1) { _ in } }
            try behind.finish()
        }
    }
}
