import DiskReplay
import Reliability
import StoreState

/// One operation on one file system, with the power cut at each moment.
struct Trial {
    let fileSystem: FileSystem
    let operation: Operation
    /// Which fsyncs `store-drill` does: `all`, or else something has to be lost.
    var syncs = "all"
    let site: Site

    private static let begins = "begins"
    private static let mountPoint = "/mnt"

    /// Does the operation with its writes logged, then looks at what each cut leaves.
    func run(_ tally: OutcomeCounter) throws {
        let disk = try LoggedDisk(site.disk, log: site.log, size: fileSystem.size)
        try fileSystem.make(on: disk.device)
        var mounted = try Mount(disk.device, fileSystem, at: Self.mountPoint)
        let folder = mounted.path + "/site"
        for step in operation.preparations { try PlainProgram.run([site.storeDrill, step, folder]) }
        try mounted.end()
        mounted = try Mount(disk.device, fileSystem, at: Self.mountPoint)
        let old = try StoreState(folder)
        try disk.mark(Self.begins)
        try PlainProgram.run(
            [site.storeDrill, operation.step, folder] + operation.messages,
            environment: ["STORE_DRILL_SYNC": syncs, "STORE_DRILL_ACKNOWLEDGE": site.acknowledge])
        let new = try StoreState(folder)
        guard operation == .recover || old.outcome(from: old, to: new) == "old" else {
            throw DrillError("\(operation) on \(fileSystem) changed nothing: \(new)")
        }
        try mounted.end()
        let log = try disk.end()
        try cut(log, Judgement(operation: operation, old: old, new: new), tally)
    }

    private func cut(_ log: WriteLog, _ judgement: Judgement, _ tally: OutcomeCounter) throws {
        guard let start = log.place(ofMark: Self.begins) else { throw DrillError("the log has lost its first mark") }
        let cuts = PowerCut.all(in: log.entries, from: start, losses: site.losses, seed: 5)
        let acknowledged = log.entries.indices.filter { place in
            guard case .mark(let name) = log.entries[place].kind, place > start else { return false }
            return name == operation.step || operation.messages.contains(name)
        }
        guard acknowledged.count == max(1, operation.messages.count) else {
            throw DrillError("the log has \(acknowledged.count) acknowledgements of \(operation)")
        }
        var replay = DiskReplay(log)
        for cut in cuts {
            try replay.image(after: cut).store(at: site.scratch, size: fileSystem.size)
            let count = acknowledged.count { $0 < cut.end }
            let moment = "\(fileSystem) \(operation): \(cut) of \(log.entries.count), \(count) acknowledged"
            let (name, note) = try look(moment) { judgement.outcome($0, acknowledged: count) }
            tally.note(name)
            if Judgement.forbidden.contains(name), syncs == "all" {
                print("\(moment): \(name): \(note)")
            }
        }
    }

    /// Calls `body` with the site's folder on the scratch disk. A disk that can't be mounted is no finding about the
    /// stores.
    private func look<Result>(_ moment: String, _ body: (String) -> Result) throws -> Result {
        do {
            return try Mount.withFile(site.scratch, fileSystem, at: Self.mountPoint) { body($0 + "/site") }
        } catch {
            throw DrillError("\(moment): \(error)")
        }
    }
}
