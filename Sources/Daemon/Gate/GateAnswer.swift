import Files
import Foundation
import Ledger
import WorkerProtocol

/// What the team's own gate gives on its standard output:
/// `{"verdict": "accept" | "refuse", "reason": …, "tasks": {NAME: {"metric": …, "value": …, "minimum": …}}}`.
enum GateAnswer {
    /// Longest answer in bytes.
    static let longest = 1 << 20

    /// Throws where the bytes are no such answer. A task below its minimum is refused whatever the verdict is.
    static func parse(_ bytes: [UInt8], seconds: Double) throws(HookFailure) -> GateRecord.Command {
        guard let value = try? JSONValue(parsing: bytes, .python) else {
            let start = HookCaller.short(String(decoding: bytes.prefix(200), as: UTF8.self))
            throw HookFailure("its answer is not JSON: '\(start)'")
        }
        let members = value.members
        guard let verdict = members["verdict"]?.text, verdict == "accept" || verdict == "refuse" else {
            throw HookFailure("its answer has no verdict: expected accept or refuse")
        }
        var tasks: [String: GateRecord.Command.Task] = [:]
        var below: [String] = []
        for (name, figures) in (members["tasks"]?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let value = figures.members["value"]?.double, value.isFinite else {
                throw HookFailure("its answer has no number as the value of task \(name)")
            }
            let minimum = figures.members["minimum"]?.double
            let metric = figures.members["metric"]?.text ?? "value"
            tasks[name] = GateRecord.Command.Task(metric: metric, value: value, minimum: minimum)
            if let minimum, value < minimum {
                below.append("\(name) has \(metric) \(Gate.text(value)), below the minimum \(Gate.text(minimum))")
            }
        }
        var reason = members["reason"]?.text.map(HookCaller.short)
        if !below.isEmpty { reason = ([reason].compactMap(\.self) + below).joined(separator: "; ") }
        return GateRecord.Command(
            isAccepted: verdict == "accept" && below.isEmpty, reason: reason, tasks: tasks, seconds: seconds)
    }
}
