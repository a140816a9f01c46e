import Control
import WorkerProtocol

/// A status as lines for a screen: what the daemon does, the running merge, what is deployed, and every task.
struct StatusLines {
    var status: DaemonStatus

    /// All of it, or what fits into `rows`: then tasks that are deployed without a word are counted instead.
    func text(rows: Int? = nil) -> [String] {
        var lines = head
        let style: (DaemonStatus.Task) -> Terminal.Style? = { task in
            switch task.state {
            case .refused, .setAside: .bad
            case .arriving, .accepted, .merging, .candidate: .notable
            case .deployed: nil
            }
        }
        let urgent = status.tasks.filter { $0.state != .deployed || !$0.message.isEmpty }
        let quiet = status.tasks.filter { $0.state == .deployed && $0.message.isEmpty }
        var shown = urgent + quiet
        let strays = status.strays.sorted { $0.key < $1.key }.map { name, reason in
            Terminal.printable("not a task: tasks/\(name): \(reason)").replacing("\n", with: " ")
        }
        // The table's header, and the line that counts the rest.
        let room = rows.map { max(1, $0 - lines.count - strays.count - 2) } ?? .max
        let hidden = shown.count > room ? shown.count - room : 0
        shown = Array(shown.prefix(shown.count - hidden))
        lines += Terminal.lines(
            ["TASK", "STATE", "SCORE", "WHY"],
            shown.map { [$0.name, $0.state.rawValue, Terminal.number($0.score), $0.message] }, styles: shown.map(style))
        if hidden > 0 { lines.append("and \(hidden) more; 'supermergectl status --all' lists them") }
        return lines + strays
    }

    private var head: [String] {
        let style: Terminal.Style =
            switch status.activity {
            case .idle: .good
            case .failing: .bad
            case .starting, .merging, .paused, .waiting: .notable
            }
        var lines = ["\(Terminal.styled(status.activity.rawValue, style)): \(one(status.message))"]
        if let deployed = status.deployed {
            let source = deployed.rollbackOf.map { ", a rollback to release \($0)" } ?? ""
            lines.append(
                one("deployed: release \(deployed.version) of \(deployed.created)\(source), \(deployed.path)"))
        }
        lines.append(one("base: \(status.base.message)"))
        return lines + rolloutLines + hookLines + mergeLines
    }

    private var rolloutLines: [String] {
        guard let rollout = status.rollout else { return [] }
        let style: Terminal.Style =
            switch rollout.state {
            case .failing: .bad
            case .checking: .good
            case .starting, .silent, .byHand: .notable
            }
        let role = rollout.kind == "canary" ? "candidate" : "watched"
        let time = "held \(Terminal.duration(rollout.heldSeconds)) of \(Terminal.duration(rollout.windowSeconds))"
        let servers = (rollout.targets ?? []).map { target in
            one("  \(target.target): \(target.state.rawValue): \(target.message)")
        }
        return [
            one("\(role): release \(rollout.version), ") + Terminal.styled(rollout.state.rawValue, style)
                + one(": \(rollout.message); \(time)")
        ] + servers
    }

    /// Hooks that have not succeeded for the deployed release, and what is on each server of those with targets.
    private var hookLines: [String] {
        status.hooks.flatMap { hook in
            var lines: [String] = []
            if hook.state == .failed || hook.state == .running || hook.targets != nil {
                let style: Terminal.Style =
                    switch hook.state {
                    case .failed: .bad
                    case .done: .good
                    case .waiting, .running: .notable
                    }
                let state = Terminal.styled(hook.state.rawValue, style)
                lines.append(
                    "hook \(one(hook.name)): \(state)" + (hook.message.isEmpty ? "" : ": \(one(hook.message))"))
            }
            for server in hook.targets ?? [] {
                let what = server.version.map { "release \($0)" } ?? "no release confirmed"
                let isBehind = server.version != hook.version && !server.message.isEmpty
                lines.append(one("  \(server.target): \(what)\(isBehind ? ": \(server.message)" : "")"))
            }
            return lines
        }
    }

    /// The running merge: a bar, its losses, and each task's held-out figures.
    var mergeLines: [String] {
        guard let merge = status.merge else { return [] }
        let width = 30
        let filled = merge.total > 0 ? min(width, max(0, width * merge.done / merge.total)) : 0
        let bar = String(repeating: "━", count: filled) + String(repeating: "─", count: width - filled)
        var figures = ["\(merge.done)/\(merge.total)"]
        if let loss = merge.loss { figures.append("loss \(Terminal.number(loss))") }
        let heldOut = merge.curve.compactMap(\.heldOut).filter(\.isFinite)
        if let last = merge.heldOut ?? heldOut.last { figures.append("held out \(Terminal.number(last))") }
        if let left = merge.secondsLeft { figures.append("\(Terminal.duration(left)) left") }
        var lines = ["merge \(one(merge.merge)): \(one(merge.phase)) \(bar) \(figures.joined(separator: "  "))"]
        if heldOut.count > 1 { lines.append("held-out loss \(Self.spark(heldOut, width: 48))") }
        lines += Terminal.lines(
            ["MERGING", "HELD-OUT LOSS", "METRIC", "VALUE"],
            merge.scores.map { [$0.task, Terminal.number($0.loss), $0.metric, Terminal.number($0.value)] })
        return lines
    }

    /// A row of blocks from the least to the greatest value, the newest `width` of them.
    static func spark(_ values: [Double], width: Int) -> String {
        let values = values.suffix(width)
        let blocks = Array("▁▂▃▄▅▆▇█")
        guard let low = values.min(), let high = values.max(), high > low else {
            return String(repeating: blocks[0], count: values.count)
        }
        return String(values.map { blocks[min(7, max(0, Int(8 * ($0 - low) / (high - low))))] })
    }

    private func one(_ text: String) -> String { Terminal.printable(text).replacing("\n", with: " ") }
}
