package import Control
import WorkerProtocol

/// What one check of a release on trial came to.
package enum CheckAnswer: Hashable, Sendable {
    case held(String)
    /// The answer is no.
    case failed(String)
    /// It was not answered, or not so that it can be understood.
    case silent(String)
}

/// What a check came to, and what each of its servers said.
package struct CheckReport: Hashable, Sendable {
    package var answer: CheckAnswer
    package var targets: [DaemonStatus.CheckTarget] = []
}

/// Asks a check once.
package struct RolloutChecker: Sendable {
    let caller: any HookCalling
    let clock: any Clock<Duration>

    package init(caller: any HookCalling = HookCaller(), clock: any Clock<Duration> = ContinuousClock()) {
        self.caller = caller
        self.clock = clock
    }

    /// `timeout`: what the answer may take, of each server; later there is none.
    package func ask(_ check: RolloutCheck, _ values: HookValues, timeout: Duration) async -> CheckReport {
        guard case .servers(let call, let targets, let require) = check else {
            return CheckReport(answer: await limited(check, values, timeout))
        }
        let addresses: [String]
        do {
            addresses = try await BlockingIO.run { try targets.resolved() }
        } catch {
            return CheckReport(answer: .silent("\(error)"))
        }
        let answers = await withTaskGroup(of: (String, CheckAnswer).self) { group in
            for address in addresses {
                group.addTask {
                    var values = values
                    values.target = address
                    return (address, await limited(.call(call), values, timeout))
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        return Self.report(addresses.compactMap { address in answers[address].map { (address, $0) } }, require)
    }

    static func report(
        _ answers: [(target: String, answer: CheckAnswer)], _ require: HookTargets.Requirement
    ) -> CheckReport {
        let targets = answers.map { target, answer in
            switch answer {
            case .held(let said): DaemonStatus.CheckTarget(target, .held, said)
            case .failed(let said): DaemonStatus.CheckTarget(target, .failed, said)
            case .silent(let reason): DaemonStatus.CheckTarget(target, .silent, reason)
            }
        }
        let held = targets.count { $0.state == .held }
        let silent = targets.count { $0.state == .silent }
        let others = targets.filter { $0.state != .held }.map { "\($0.target): \($0.message)" }
        let text = (["\(held) of \(targets.count) servers say yes"] + others).joined(separator: "; ")
        let needed = require.count(of: targets.count)
        let answer: CheckAnswer =
            held >= needed ? .held(text) : held + silent >= needed ? .silent(text) : .failed(text)
        return CheckReport(answer: answer, targets: targets)
    }

    private func limited(_ check: RolloutCheck, _ values: HookValues, _ timeout: Duration) async -> CheckAnswer {
        await withTaskGroup(of: CheckAnswer?.self) { group in
            group.addTask { await once(check, values) }
            group.addTask {
                try? await clock.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            let first = await group.next()
            return (first ?? nil) ?? .silent("no answer within \(Quantity.text(timeout))")
        }
    }

    private func once(_ check: RolloutCheck, _ values: HookValues) async -> CheckAnswer {
        do throws(HookFailure) {
            switch check {
            case .call(let call), .servers(let call, _, _): return .held(try await caller.call(call, values))
            case .prometheus(let query):
                return query.judge(try await caller.fetch(query.request(values), values))
            case .byHand: return .silent("an operator decides")
            }
        } catch {
            return error.isAnswer ? .failed(error.description) : .silent(error.description)
        }
    }
}
