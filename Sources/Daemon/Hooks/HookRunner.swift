import Synchronization
import WorkerProtocol

/// Brings one hook to its end: the call, then the check, again after a pause where one of them fails.
package struct HookRunner: Sendable {
    /// How a hook ended.
    package enum Outcome: Hashable, Sendable {
        case done(attempts: Int, message: String)
        case failed(attempts: Int, message: String)
        case cancelled
    }

    /// What one target of a hook came to.
    package struct TargetAnswer: Hashable, Sendable {
        package var target: String
        package var isConfirmed: Bool
        package var message: String
    }

    private static let longestPause = Duration.seconds(300)
    private static let longestCheckPause = Duration.seconds(10)

    let caller: any HookCalling
    let clock: any Clock<Duration>

    package init(caller: any HookCalling = HookCaller(), clock: any Clock<Duration> = ContinuousClock()) {
        self.caller = caller
        self.clock = clock
    }

    /// Cancelling the task ends the call that is under way. `onFailure` sees each attempt that failed: its number, and
    /// why. `onTargets` sees what became of every target after each attempt. `confirmed`: targets that have confirmed
    /// the release already, with what they answered.
    package func run(
        _ hook: Hook, _ values: HookValues, confirmed: [String: String] = [:],
        onTargets: @Sendable ([TargetAnswer]) async -> Void = { _ in },
        onFailure: @Sendable (Int, String) async -> Void
    ) async -> Outcome {
        var pause = hook.backOff
        var attempt = 1
        var confirmed = confirmed
        while true {
            do {
                let message = try await once(hook, values, &confirmed, onTargets)
                return .done(attempts: attempt, message: message)
            } catch {
                if Task.isCancelled { return .cancelled }
                let reason = (error as? HookFailure)?.description ?? "\(error)"
                guard attempt <= hook.retries else { return .failed(attempts: attempt, message: reason) }
                await onFailure(attempt, reason)
            }
            guard (try? await clock.sleep(for: pause)) != nil else { return .cancelled }
            pause = min(pause * 2, Self.longestPause)
            attempt += 1
        }
    }

    /// One attempt. Of several targets those that have confirmed the release already are left alone; `confirmed` holds
    /// what each of them answered.
    private func once(
        _ hook: Hook, _ values: HookValues, _ confirmed: inout [String: String],
        _ onTargets: @Sendable ([TargetAnswer]) async -> Void
    ) async throws -> String {
        guard let targets = hook.targets else { return try await once(hook, values) }
        let addresses = try await BlockingIO.run { try targets.resolved() }
        let missing = addresses.filter { confirmed[$0] == nil }
        let answers = try await withThrowingTaskGroup(of: (String, Result<String, HookFailure>).self) { group in
            for address in missing {
                group.addTask {
                    var values = values
                    values.target = address
                    do {
                        return (address, .success(try await once(hook, values)))
                    } catch {
                        try Task.checkCancellation()
                        return (address, .failure(error as? HookFailure ?? HookFailure("\(error)")))
                    }
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        var states: [TargetAnswer] = []
        for address in addresses {
            if case .success(let answer) = answers[address] { confirmed[address] = answer }
            let failure = if case .failure(let failure) = answers[address] { "\(failure)" } else { "no answer" }
            states.append(
                TargetAnswer(
                    target: address, isConfirmed: confirmed[address] != nil, message: confirmed[address] ?? failure))
        }
        await onTargets(states)
        let failures = states.filter { !$0.isConfirmed }.map { "\($0.target): \($0.message)" }
        let count = addresses.count - failures.count
        let summary = "\(count) of \(addresses.count) targets confirmed the release"
        let message = failures.isEmpty ? summary : "\(summary); \(failures.joined(separator: "; "))"
        guard count >= hook.require.count(of: addresses.count) else { throw HookFailure(message) }
        return message
    }

    private func once(_ hook: Hook, _ values: HookValues) async throws -> String {
        let message = try await confirmed(hook, values)
        guard let call = hook.then, values.previous != nil || !call.names("previous") else { return message }
        do {
            return try await limited(to: hook.timeout, { HookFailure("no answer") }) {
                "\(message); then \(try await caller.call(call, values))"
            }
        } catch {
            try Task.checkCancellation()
            return "\(message); then failed: \(error)"
        }
    }

    private func confirmed(_ hook: Hook, _ values: HookValues) async throws -> String {
        var message = ""
        if let call = hook.call {
            let limit = HookFailure("no answer within \(Quantity.text(hook.timeout))")
            message = try await limited(to: hook.timeout, { limit }) { try await caller.call(call, values) }
        }
        guard let check = hook.check else { return message }
        let last = Mutex("nothing was heard")
        let late: @Sendable () -> HookFailure = {
            HookFailure("not confirmed within \(Quantity.text(check.within)): \(last.withLock { $0 })")
        }
        return try await limited(to: check.within, late) {
            var pause = Duration.milliseconds(250)
            while true {
                do {
                    let said = try await caller.call(check.call, values)
                    return "confirmed by \(said)"
                } catch {
                    try Task.checkCancellation()
                    last.withLock { $0 = "\(error)" }
                }
                try await clock.sleep(for: pause)
                pause = min(pause * 2, Self.longestCheckPause)
            }
        }
    }

    private func limited(
        to limit: Duration, _ failure: @escaping @Sendable () -> HookFailure,
        _ work: @escaping @Sendable () async throws -> String
    ) async throws -> String {
        try await withThrowingTaskGroup(of: String?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await clock.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let message = first else { throw failure() }
            return message
        }
    }
}
