import Files
import Foundation
import Ledger
import Reliability
import Testing

/// Registries that send no events, and registries that go away.
@Suite struct LostRegistryTests {
    /// A user namespace that allows no inotify instance: what is seen is seen by the timer.
    @Test func withoutEvents() throws {
        let lame = [
            "/usr/bin/unshare", "-r", "/bin/sh", "-c", #"echo 0 > /proc/sys/user/max_inotify_instances && exec "$@""#,
            "sh",
        ]
        let trial = try Execution.run(lame[0], Array(lame.dropFirst()) + ["/bin/true"])
        guard trial.status == 0 else {
            try Skip.note("no user namespace can be made here: \(trial.errors)")
            return
        }
        let tally = OutcomeCounter(
            "watching-polling", "changes in a registry that sends no events, seen by the timer alone",
            forbidden: ["did not converge"])
        let site = try Site.quick(rescan: "1s")
        var content = ["amber": try site.dropNoisy("amber", seed: 1)]
        let daemon = try DaemonProcess(site, under: lame)
        try daemon.waitUntilReady()
        for round in 0..<TestBudget.count("RELIABILITY_POLLS", quick: 3, full: 50) {
            let name = ["amber", "birch", "cedar"][round % 3]
            content[name] = try site.dropNoisy(name, seed: UInt64(10 + round))
            let isGood = try site.converges(to: content)
            #expect(isGood, "round \(round)")
            tally.note(isGood ? "converged" : "did not converge")
        }
        #expect(daemon.errors.contains("can't be watched"))
        #expect(try daemon.stop() == 0)
        #expect(tally.isGood)
        try tally.write()
    }

    /// The file system with the registry goes while the daemon runs, and comes back with other content.
    @Test func unmountedAndMountedAgain() throws {
        let tally = OutcomeCounter(
            "watching-unmount", "the registry's file system unmounted, and another mounted in its place",
            forbidden: ["did not converge", "the release went with it"])
        let site = try Site.quick(rescan: "1s")
        let away = site.folder.path + "/base"
        try Durable.rename(site.registry + "/base", to: away)
        guard var disk = try SmallDisk(bytes: 32 << 20, at: site.registry) else {
            try Skip.note("nothing can be mounted here (needs the privilege to mount)")
            return
        }
        try Durable.createDirectories(site.registry + "/tasks")
        try site.copy(away, to: site.registry + "/base")
        var content = ["amber": try site.dropOnto("amber", seed: 1)]
        let daemon = try site.start()
        #expect(try site.converges(to: content))
        for round in 0..<TestBudget.count("RELIABILITY_MOUNTS", quick: 2, full: 25) {
            let before = site.current
            disk.unmount()
            try daemon.notifications.wait(for: "no base model")
            if site.current != before { tally.note("the release went with it") }
            disk = try #require(try SmallDisk(bytes: 32 << 20, at: site.registry))
            try Durable.createDirectories(site.registry + "/tasks")
            content["amber"] = try site.dropOnto("amber", seed: UInt64(100 + round))
            try site.copy(away, to: site.registry + "/base")
            let isGood = try site.converges(to: content)
            #expect(isGood, "round \(round)")
            tally.note(isGood ? "converged" : "did not converge")
        }
        #expect(try daemon.stop() == 0)
        #expect(tally.isGood)
        try tally.write()
    }

    @Test func movedAwayAndMadeAnew() throws {
        let tally = OutcomeCounter(
            "watching-recreated", "the registry's folder moved away, and another made in its place",
            forbidden: ["did not converge", "the release went with it"])
        let site = try Site.quick(rescan: "1s")
        var content = ["amber": try site.dropNoisy("amber", seed: 1), "birch": try site.dropNoisy("birch", seed: 2)]
        let daemon = try site.start()
        #expect(try site.converges(to: content))
        for round in 0..<TestBudget.count("RELIABILITY_MOVES", quick: 2, full: 25) {
            let (before, old) = (site.current, "\(site.folder.path)/old-\(round)")
            try Durable.rename(site.registry, to: old)
            try daemon.notifications.wait(for: "can't be read")
            if site.current != before { tally.note("the release went with it") }
            let new = "\(site.folder.path)/new"
            try site.copy(old, to: new)
            let bytes = try NoisyTask.bytes(seed: UInt64(100 + round))
            try Data(bytes).write(to: URL(filePath: new + "/tasks/birch/model.safetensors"))
            try Durable.rename(new, to: site.registry)
            content["birch"] = Digest.sha256(bytes)
            let isGood = try site.converges(to: content)
            #expect(isGood, "round \(round)")
            tally.note(isGood ? "converged" : "did not converge")
        }
        #expect(try daemon.stop() == 0)
        #expect(tally.isGood)
        try tally.write()
    }
}
