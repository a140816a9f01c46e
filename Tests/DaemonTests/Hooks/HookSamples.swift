import Daemon
import Foundation
import Releases
import Synchronization
import WorkerProtocol

extension Samples {
    static func values(_ version: Int = 3, path: String = "/srv/deploy/versions/3", previous: Int? = nil) -> HookValues
    {
        let record = record([task("a")], version: version)
        return HookValues(
            "h", Release(version: version, directory: path, record: record), deploy: "/srv/deploy", previous: previous)
    }

    static func hooks(_ yaml: String) throws -> [Hook] { try Configuration.parse(yaml, file: "test.yaml").hooks }
}

/// Answers calls as a test says, and remembers them.
final class FakeCaller: HookCalling {
    private let heard = Mutex<[(name: String, release: Int)]>([])
    private let answer: @Sendable (HookCall, HookValues, Int) async throws -> String

    /// `answer` gets the call, what it is told, and how many calls were before it.
    init(_ answer: @escaping @Sendable (HookCall, HookValues, Int) async throws -> String = { _, _, _ in "fine" }) {
        self.answer = answer
    }

    /// Hook and release of each call.
    var calls: [String] { heard.withLock { $0.map { "\($0.name) \($0.release)" } } }

    func fetch(_ request: HookRequest, _ values: HookValues) async throws(HookFailure) -> [UInt8] {
        Array(try await call(.request(request), values).utf8)
    }

    func call(_ call: HookCall, _ values: HookValues) async throws(HookFailure) -> String {
        let before = heard.withLock { heard in
            heard.append((values.hook, values.release))
            return heard.count - 1
        }
        do {
            return try await answer(call, values, before)
        } catch {
            throw error as? HookFailure ?? HookFailure("\(error)")
        }
    }
}

/// A clock on which no time passes: every sleep is over at once, and is remembered.
final class HastyClock: Clock, Sendable {
    private let slept = Mutex<[Duration]>([])
    /// Sleeps of this length last until they are cancelled: the limits that a test does not want to reach.
    let endless: Set<Duration>

    init(endless: Set<Duration> = []) { self.endless = endless }

    var now: ManualClock.Instant { ManualClock.Instant(offset: .zero) }
    var minimumResolution: Duration { .zero }
    var sleeps: [Duration] { slept.withLock { $0 } }

    func sleep(until deadline: ManualClock.Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        if endless.contains(deadline.offset) {
            await cancellation()
            throw CancellationError()
        }
        slept.withLock { $0.append(deadline.offset) }
    }
}
