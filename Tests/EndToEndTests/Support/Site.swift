import Files
import Foundation
import Ledger

/// One deployment: registry, deploy and state directories, a configuration, and the daemons that ran over them.
final class Site {
    let folder: TemporaryFolder
    /// Keys of the `merge` section.
    var merge: [String: String]
    /// Keys at the top.
    var keys: [String: String]
    private var daemons: [DaemonProcess] = []

    var registry: String { folder.path + "/registry" }
    var deploy: String { folder.path + "/deploy" }
    var state: String { folder.path + "/state" }
    var socket: String { folder.path + "/control.sock" }
    var configuration: String { folder.path + "/supermerged.yaml" }

    /// A registry with the workshop's base and no tasks.
    init(steps: Int = 15, merge: [String: String] = [:], base: String? = nil) throws {
        folder = try TemporaryFolder()
        let quick = ["steps": "\(steps)", "threads": "1", "learning-rate": "0.05", "evaluate-every": "5"]
        self.merge = quick.merging(merge) { _, new in new }
        keys = ["settle": "100ms"]
        try FileManager.default.createDirectory(atPath: registry + "/tasks", withIntermediateDirectories: true)
        try copy(base ?? Workshop.shared().base, to: registry + "/base")
        try writeConfiguration()
    }

    deinit { for daemon in daemons { daemon.kill() } }

    func writeConfiguration(extra: String = "") throws {
        let top = ["registry": registry, "deploy": deploy, "state": state, "socket": socket]
            .merging(keys) { _, new in new }
        let lines =
            top.sorted { $0.key < $1.key }.map { "\($0): \($1)" } + ["merge:"]
            + merge.sorted { $0.key < $1.key }.map { "  \($0): \($1)" }
        try Data((lines.joined(separator: "\n") + "\n" + extra).utf8).write(to: URL(filePath: configuration))
    }

    /// Starts the daemon and returns when it says that it is ready.
    @discardableResult
    func start() throws -> DaemonProcess {
        let daemon = try DaemonProcess(self)
        daemons.append(daemon)
        try daemon.waitUntilReady()
        return daemon
    }

    /// A path below the task's folder in the registry.
    func path(_ task: String, _ file: String = "") -> String {
        "\(registry)/tasks/\(task)" + (file.isEmpty ? "" : "/\(file)")
    }

    /// Puts a task of the workshop into the registry by a rename, changed by `edit` first.
    func drop(
        _ task: String, of source: String? = nil, as name: String? = nil,
        edit: (_ folder: String) throws -> Void = { _ in }
    ) throws {
        let incoming = "\(folder.path)/incoming-\(task)"
        try copy(source ?? Workshop.shared().task(task), to: incoming)
        try edit(incoming)
        let place = path(name ?? task)
        let old = "\(folder.path)/outgoing-\(task)"
        try Durable.remove(old)
        if FileManager.default.fileExists(atPath: place) { try Durable.rename(place, to: old) }
        try Durable.rename(incoming, to: place)
    }

    func remove(_ task: String) throws { try Durable.rename(path(task), to: "\(folder.path)/removed-\(task)") }

    func copy(_ from: String, to: String) throws { try FileManager.default.copyItem(atPath: from, toPath: to) }

    /// `supermergectl` on this site's daemon.
    func control(_ arguments: String...) throws -> Execution { try control(arguments: arguments) }

    func control(arguments: [String]) throws -> Execution {
        try Execution.run(Programs.control, ["--socket", socket] + arguments)
    }

    /// `rescan --wait`: returns when everything in the registry is merged or refused.
    @discardableResult
    func rescan() throws -> Execution { try control("rescan", "--wait", "--json") }

    func ledger() throws -> [LedgerEntry] { try Ledger.entries(path: state + "/ledger.jsonl") }

    /// Entries of one kind.
    func ledger(_ kind: LedgerEvent.Kind) throws -> [LedgerEntry] { try ledger().filter { $0.event == kind } }

    /// Wakes at each entry of the ledger.
    func ledgerWatch() throws -> ChangeWatch { try ChangeWatch([state]) }
}
