import Files
import Foundation
import Glibc
import Reliability
import Testing

/// More events than the kernel's queue holds. Nothing asks the daemon to look: it comes to the registry's content by
/// itself.
@Suite struct StormTests {
    private static let queue =
        (try? String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8))
        .flatMap { Int($0.dropLast()) } ?? 16_384

    @Test func eventsWithOverflow() throws {
        let wanted = TestBudget.count("RELIABILITY_EVENTS", quick: 40_000, full: 1_000_000)
        let seed = UInt64(TestBudget.count("RELIABILITY_SEED", quick: 1, full: 1))
        let events = OutcomeCounter(
            "watching-storm-events", "events in a watched registry, in bursts of more than its queue holds")
        let tally = OutcomeCounter(
            "watching-storms",
            "bursts of events in which drops change; in every other one the daemon is stopped, so that its queue "
                + "overflows",
            forbidden: ["did not converge"])
        var random = Randomness(seed: seed)
        let site = try Site.quick()
        var content = ["amber": try site.dropNoisy("amber", seed: 1)]
        let daemon = try site.start()
        try #require(try site.converges(to: content))
        var (sent, burst) = (0, 0)
        while sent < wanted {
            burst += 1
            let isStopped = burst % 2 == 0
            if isStopped { daemon.process.signal(SIGSTOP) }
            let size = min(Self.queue + Int.random(in: 1000...4000, using: &random), max(wanted - sent, 1000))
            let turning = Int.random(in: 0..<size, using: &random)
            var made = 0
            var hasChanged = false
            while made < size {
                made += try Self.stir(site, &random)
                guard !hasChanged, made >= turning else { continue }
                hasChanged = true
                let task = ["amber", "birch", "cedar"][Int.random(in: 0..<3, using: &random)]
                if task != "amber", content[task] != nil, Bool.random(using: &random) {
                    try Durable.remove("\(site.folder.path)/removed-\(task)")
                    try site.remove(task)
                    content[task] = nil
                } else {
                    content[task] = try site.dropNoisy(task, seed: UInt64(1000 + burst))
                }
                made += 2
            }
            sent += made
            events.note(isStopped && made > Self.queue ? "in bursts that overflowed" : "while it looked on", made)
            if isStopped { daemon.process.signal(SIGCONT) }
            let isGood = try site.converges(to: content)
            let found = try site.deployedContent()
            #expect(isGood, "burst \(burst), seed \(seed): \(found), not \(content)")
            tally.note(!isGood ? "did not converge" : isStopped ? "converged after an overflow" : "converged")
        }
        #expect(try daemon.stop() == 0)
        #expect(events.tried >= wanted)
        #expect(tally.isGood && tally.count("converged after an overflow") > 0)
        try tally.write()
        try events.write()
    }

    /// A few changes that leave everything as it was; gives how many events they make, at least.
    private static func stir(_ site: Site, _ random: inout Randomness) throws -> Int {
        let (tasks, name) = (site.registry + "/tasks", "x\(UInt16.random(in: 0...999, using: &random))")
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            close(creat("\(tasks)/amber/\(name).tmp", 0o600))
            unlink("\(tasks)/amber/\(name).tmp")
            return 3
        case 1:
            mkdir("\(tasks)/\(name)", 0o700)
            rmdir("\(tasks)/\(name)")
            return 2
        case 2:
            close(creat("\(tasks)/\(name).part", 0o600))
            rename("\(tasks)/\(name).part", "\(site.folder.path)/\(name)")
            rename("\(site.folder.path)/\(name)", "\(tasks)/amber/.\(name)")
            unlink("\(tasks)/amber/.\(name)")
            return 5
        default:
            chmod("\(tasks)/amber", 0o700)
            chmod("\(tasks)/amber", 0o750)
            return 2
        }
    }
}
