import Synchronization
import Testing

@testable import Daemon

/// The watchdog is fed from progress, not from a timer.
@Suite(.timeLimit(.minutes(20)))
struct WatchdogPingerTests {
    /// Pings in so many looks, five seconds apart, at a step that does not end; `pace`: bytes that it moves between
    /// two.
    private func pings(looks: Int, pace: Int64, interval: Duration? = .seconds(5)) async throws -> Int {
        let clock = ManualClock()
        let moved = Mutex<Int64>(0)
        let pings = Mutex(0)
        let extensions = Mutex(0)
        let heartbeat = WatchdogPinger(
            interval: interval, clock: clock,
            bytesMoved: {
                moved.withLock { bytes in
                    bytes += pace
                    return bytes
                }
            }, ping: { pings.withLock { $0 += 1 } },
            extend: { time in
                #expect(time == .seconds(20))
                extensions.withLock { $0 += 1 }
            })
        let step = Task { await heartbeat.during { await cancellation() } }
        for _ in 0..<looks {
            while clock.sleeperCount == 0 { try await turn() }
            clock.advance(by: .seconds(5))
        }
        while clock.sleeperCount == 0 { try await turn() }
        step.cancel()
        await step.value
        #expect(extensions.withLock(\.self) == pings.withLock(\.self) || interval == nil)
        return pings.withLock(\.self)
    }

    @Test func aStepThatGetsFurtherIsPingedForAsLongAsItTakes() async throws {
        #expect(try await pings(looks: 300, pace: 64 << 10) == 300)
    }

    /// Ten minutes for an fsync; reading the counters is no progress.
    @Test(arguments: [0, 1000]) func aStepThatHangsIsNotPingedForLong(pace: Int64) async throws {
        #expect(try await pings(looks: 300, pace: pace) == 119)
    }

    @Test func withoutAWatchdogNothingIsPinged() async throws {
        #expect(try await pings(looks: 3, pace: 64 << 10, interval: nil) == 0)
    }
}
