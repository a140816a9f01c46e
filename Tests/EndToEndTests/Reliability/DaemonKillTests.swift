import Files
import Foundation
import Ledger
import Releases
import Reliability
import Testing

/// A real daemon, killed again and again while tasks arrive, change and go, and an operator rolls back.
@Suite struct DaemonKillTests {
    private static let tasks = ["amber", "birch", "cedar", "dune", "elm"]

    @Test func atRandomMomentsUnderArrivals() throws {
        let kills = Effort.count("RELIABILITY_KILLS", quick: 16, full: 1000)
        let seed = UInt64(Effort.count("RELIABILITY_SEED", quick: 1, full: 1))
        let tally = Tally(
            "kill-daemon",
            "SIGKILL of a real daemon at a random moment while tasks arrive, change, go and are rolled back",
            forbidden: Self.forbidden)
        var random = Randomness(seed: seed)
        let site = try Site.quick(settle: "20ms")
        site.merge["scale"] = "0.3"
        try site.dropNoisy("amber", seed: 1)
        try site.start().kill()
        var before = try Snapshot(site)
        for round in 0..<kills {
            try arrive(site, round: round, &random)
            let watch = try ChangeWatch([site.state, site.deploy, site.deploy + "/versions", site.deploy + "/.staging"])
            let daemon = try DaemonProcess(site)
            if round % 5 == 4, let oldest = before.versions.first {
                try daemon.waitUntilReady()
                _ = try ChildProcess(
                    Programs.control, ["--socket", site.socket, "rollback", "\(oldest)"], output: "/dev/null",
                    errors: "/dev/null")
            }
            _ = watch.waitForChanges(Int.random(in: 1...72, using: &random), silence: 3)
            daemon.kill()
            let after = try Snapshot(site)
            let fault = after.fault(since: before)
            #expect(fault == nil, "round \(round), seed \(seed): \(fault ?? "")")
            tally.note(fault ?? (after.current == before.current ? "old" : "new"))
            before = after
        }
        var content: [String: String] = [:]
        for name in Self.tasks where FileManager.default.fileExists(atPath: site.path(name)) {
            content[name] = Digest.sha256(try Durable.contents(site.path(name, "model.safetensors")))
        }
        // A rollback holds the registry's content back: something new ends that.
        content["fir"] = try site.dropNoisy("fir", seed: 99)
        try site.start()
        #expect(try site.converges(to: content))
        #expect(try site.control("verify").status == 0)
        // Killed too early every time, it would show nothing.
        #expect(tally.count("new") > 0)
        #expect(tally.isGood)
        try tally.write()
    }

    private static let forbidden = [
        "neither", "went back", "an entry of the ledger lost", "chain broken", "a number twice",
        "a live release changed",
    ]

    private func arrive(_ site: Site, round: Int, _ random: inout Randomness) throws {
        let task = Self.tasks[Int.random(in: 0..<Self.tasks.count, using: &random)]
        let isThere = FileManager.default.fileExists(atPath: site.path(task))
        let count = try FileManager.default.contentsOfDirectory(atPath: site.registry + "/tasks").count
        if isThere, count > 1, Bool.random(using: &random) {
            try Durable.remove("\(site.folder.path)/removed-\(task)")
            try site.remove(task)
        } else {
            try site.dropNoisy(task, seed: UInt64(round + 2))
        }
    }

    /// What stands after a kill, before anybody has repaired something.
    private struct Snapshot {
        var current: Int?
        var digest: String?
        var versions: [Int]
        var lines: [Substring]
        var wrong: String?

        init(_ site: Site) throws {
            let store = ReleaseStore(deploy: site.deploy)
            do {
                let release = try store.current()
                (current, digest) = (release?.version, release?.digest)
                if let release, try store.verify(release.version) != [] { wrong = "neither" }
            } catch {
                wrong = "neither"
            }
            versions = try store.releases().map(\.version)
            let text = try Execution.text(site.state + "/ledger.jsonl")
            lines = text[..<(text.lastIndex(of: "\n") ?? text.startIndex)].split(separator: "\n")
            guard let entries = try? Ledger.entries(path: site.state + "/ledger.jsonl") else {
                wrong = wrong ?? "chain broken"
                return
            }
            let numbers = entries.filter { $0.event == .published || $0.event == .rolledBack }.compactMap(\.version)
            if numbers != Array(Set(numbers)).sorted() { wrong = wrong ?? "a number twice" }
        }

        func fault(since old: Snapshot) -> String? {
            if let wrong { return wrong }
            if (current ?? 0) < old.current ?? 0 { return "went back" }
            if current == old.current, digest != old.digest { return "a live release changed" }
            return lines.starts(with: old.lines) ? nil : "an entry of the ledger lost"
        }
    }

    /// The same at its system calls, one kind after the other.
    @Test func atItsSystemCalls() throws {
        guard Trace.isUsable else {
            try Skip.note("strace is not installed or may not trace here (apt-get install strace)")
            return
        }
        let tally = Tally(
            "kill-daemon-syscalls", "SIGKILL of a real daemon that publishes, at a system call of one of its threads",
            forbidden: Self.forbidden)
        let site = try Site.quick(settle: "20ms")
        try site.dropNoisy("amber", seed: 1)
        try site.start().kill()
        var before = try Snapshot(site)
        let kinds = ["fsync": 24, "rename": 12, "symlink": 1, "unlinkat": 12, "chmod": 12, "mkdir": 4, "ftruncate": 1]
        let points = kinds.sorted { $0.key < $1.key }.flatMap { call, most in
            (1...most).map { Trace.Point(call: call, number: $0) }
        }
        let tried = Effort.some(points, most: 6)
        for (round, point) in tried.enumerated() {
            try site.dropNoisy("birch", seed: UInt64(round + 2))
            let watch = try ChangeWatch([site.state, site.deploy, site.deploy + "/versions", site.deploy + "/.staging"])
            let log = "\(site.folder.path)/trace-\(round)"
            let daemon = try DaemonProcess(site, under: Trace.arguments("signal=KILL", at: point, log: log))
            while watch.waitForChanges(1, silence: 2), !Await.end(of: daemon.process.pid, seconds: 0) {}
            let isKilled = try Trace.isInjected(log)
            daemon.killAll()
            let after = try Snapshot(site)
            let fault = after.fault(since: before)
            #expect(fault == nil, "killed at \(point): \(fault ?? "")")
            // A publish without so many calls of this kind was not stopped at one.
            if isKilled || fault != nil { tally.note(fault ?? (after.current == before.current ? "old" : "new")) }
            before = after
        }
        try site.start()
        let content = try ["amber", "birch"].map {
            ($0, Digest.sha256(try Durable.contents(site.path($0, "model.safetensors"))))
        }
        #expect(try site.converges(to: Dictionary(uniqueKeysWithValues: content)))
        #expect(tally.isGood && tally.tried * 3 >= tried.count, "\(tally.tried) of \(tried.count) points were reached")
        try tally.write()
    }
}
