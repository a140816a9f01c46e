import Files
package import Ledger
package import Registry
import Tasks
import WorkerProtocol

/// What a scan found that the ledger has not said yet.
package enum RegistryChanges {
    /// Entries for every folder whose state differs from what was announced; arriving drops are not news.
    package static func events(since announced: [String: String], in snapshot: RegistrySnapshot) -> [LedgerEvent] {
        var events: [LedgerEvent] = []
        if case .accepted(let base) = snapshot.base {
            let state = "accepted \(base.source.digest)"
            if announced["base"] != state {
                events.append(
                    event(
                        .accepted, "base", state, message: "base model accepted\(base.source.warnings.remark)",
                        ["digest": .string(base.source.digest), "graph": .bool(base.hasGraph)].adding(
                            base.source.warnings),
                        owners: snapshot.owners["base"]))
            }
        } else if let event = plainEvent("base", nil, "base model", snapshot.base, announced, snapshot.owners["base"]) {
            events.append(event)
        }
        let hasGraph = if case .accepted(let base) = snapshot.base { base.hasGraph } else { false }
        for name in snapshot.tasks.keys.sorted() {
            guard let drop = snapshot.tasks[name] else { continue }
            let key = "task \(name)"
            let owners = snapshot.owners["tasks/\(name)"]
            if case .accepted(let task) = drop {
                let state = "accepted \(task.source.digest)"
                if announced[key] != state {
                    let remark =
                        task.isLabelled || !hasGraph
                        ? "" : " without labels: it is judged by \(Score.phrase(Score.agreement))"
                    events.append(
                        event(
                            .accepted, key, state, task: name,
                            message: "task \(name) accepted\(remark)\(task.source.warnings.remark)",
                            [
                                "digest": .string(task.source.digest), "examples": .integer(task.examples),
                                "labelled": .bool(task.isLabelled),
                            ].adding(task.source.warnings), owners: owners))
                }
            } else if let event = plainEvent(key, name, "task \(name)", drop, announced, owners) {
                events.append(event)
            }
        }
        return events + strays(snapshot, announced) + removals(snapshot, announced)
    }

    private static func plainEvent<Content>(
        _ key: String, _ task: String?, _ noun: String, _ drop: Upload<Content>, _ announced: [String: String],
        _ owners: [User]?
    ) -> LedgerEvent? {
        switch drop {
        case .refused(let refusal):
            let state = "refused \(refusal.fingerprint)"
            guard announced[key] != state else { return nil }
            return event(
                .refused, key, state, task: task, message: "\(noun) refused: \(refusal.message)",
                ["code": .string(refusal.code), "fingerprint": .string(refusal.fingerprint)], owners: owners)
        case .missing:
            guard announced[key] != nil else { return nil }
            return event(.removed, key, nil, task: task, message: "\(noun) removed", [:])
        case .arriving, .accepted: return nil
        }
    }

    private static func strays(_ snapshot: RegistrySnapshot, _ announced: [String: String]) -> [LedgerEvent] {
        snapshot.strays.sorted { $0.key < $1.key }.compactMap { name, reason in
            guard announced["stray \(name)"] != reason else { return nil }
            return event(
                .refused, "stray \(name)", reason, task: name, message: "tasks/\(name) refused: \(reason)",
                ["code": .string("stray")], owners: snapshot.owners["tasks/\(name)"])
        }
    }

    private static func removals(_ snapshot: RegistrySnapshot, _ announced: [String: String]) -> [LedgerEvent] {
        announced.keys.sorted().compactMap { key in
            if key.hasPrefix("task "), snapshot.tasks[String(key.dropFirst(5))] == nil {
                let name = String(key.dropFirst(5))
                return event(.removed, key, nil, task: name, message: "task \(name) removed", [:])
            }
            if key.hasPrefix("stray "), snapshot.strays[String(key.dropFirst(6))] == nil {
                let name = String(key.dropFirst(6))
                return event(.removed, key, nil, task: name, message: "tasks/\(name) removed", [:])
            }
            return nil
        }
    }

    private static func event(
        _ kind: LedgerEvent.Kind, _ key: String, _ state: String?, task: String? = nil, message: String,
        _ details: [String: JSONValue], owners: [User]? = nil
    ) -> LedgerEvent {
        var details = details
        details["owners"] = owners.map { .array($0.map { .string($0.description) }) }
        details["announcement"] = .string(key)
        details["state"] = state.map { .string($0) }
        return LedgerEvent(kind, task: task, message: message, details: details)
    }
}

extension [String] {
    /// Warnings behind a message; nothing where there are none.
    fileprivate var remark: String { isEmpty ? "" : "; warning: " + joined(separator: "; ") }
}

extension [String: JSONValue] {
    /// The details with an admission's warnings, where there are some.
    fileprivate func adding(_ warnings: [String]) -> [String: JSONValue] {
        warnings.isEmpty ? self : merging(["warnings": .array(warnings.map { .string($0) })]) { $1 }
    }
}
