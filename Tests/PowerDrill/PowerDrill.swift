import Foundation
import Reliability

/// Cuts the power under the stores, on the disks of a virtual machine that is there for nothing else.
///
/// `power-drill DISK LOG STORE-DRILL ACKNOWLEDGE LOSSES FILE-SYSTEM...` overwrites both disks. For each operation and
/// file system it counts with `OutcomeCounter`; where fsyncs are left out, something has to be lost, or the drill is
/// blind and fails.
@main enum PowerDrill {
    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        let fileSystems = words.dropFirst(5).compactMap(FileSystem.init)
        guard let losses = words.count > 5 ? Int(words[4]) : nil, fileSystems.count == words.count - 5 else {
            print("usage: power-drill DISK LOG STORE-DRILL ACKNOWLEDGE LOSSES ext4|xfs|btrfs...")
            exit(2)
        }
        let site = Site(
            disk: words[0], log: words[1], scratch: "/tmp/disk", storeDrill: words[2], acknowledge: words[3],
            losses: losses)
        do {
            var isGood = true
            for fileSystem in fileSystems {
                for operation in Operation.allCases {
                    isGood = try drill(Trial(fileSystem: fileSystem, operation: operation, site: site)) && isGood
                }
                for (operation, syncs) in controls {
                    let trial = Trial(fileSystem: fileSystem, operation: operation, syncs: syncs, site: site)
                    isGood = try control(trial) && isGood
                }
            }
            exit(isGood ? 0 : 1)
        } catch {
            print("power-drill: \(error)")
            exit(1)
        }
    }

    /// Without any fsync nothing may be there; with those of directories alone, names come before contents.
    private static let controls: [(Operation, String)] = [
        (.publish, "none"), (.publish, "directories"), (.append, "none"),
    ]

    private static func drill(_ trial: Trial) throws -> Bool {
        let (name, kind) = (trial.operation.rawValue, trial.fileSystem.rawValue)
        let tally = OutcomeCounter(
            "power-\(kind)-\(name)", "\(name) on \(kind): the power cut after each write, and with cached writes lost",
            forbidden: Judgement.forbidden)
        try trial.run(tally)
        try tally.write()
        print("\(kind) \(name): \(tally.tried) cuts, \(tally.isGood ? "good" : "BAD")")
        return tally.isGood
    }

    private static func control(_ trial: Trial) throws -> Bool {
        let (name, kind) = (trial.operation.rawValue, trial.fileSystem.rawValue)
        let without = trial.syncs == "none" ? "without fsync" : "without fsync of files"
        let tally = OutcomeCounter(
            "power-control-\(kind)-\(name)-\(trial.syncs)",
            "\(name) on \(kind) \(without)")
        try trial.run(tally)
        try tally.write()
        let found = Judgement.forbidden.reduce(0) { $0 + tally.count($1) }
        print("\(kind) \(name) \(without): \(tally.tried) cuts, \(found) losses found, \(found > 0 ? "good" : "BLIND")")
        return found > 0
    }
}
