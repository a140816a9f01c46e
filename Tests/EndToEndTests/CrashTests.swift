import Files
import Foundation
import Glibc
import Ledger
import Testing

/// kill -9 of the daemon at any moment.
@Suite struct CrashTests {
    @Test func aKilledFitGoesOnToTheSameBytes() throws {
        let site = try Site(
            steps: 300, merge: ["evaluate-every": "10", "patience": "1000", "strategy": "joint"])
        for task in ["amber", "birch"] { try site.drop(task) }
        let daemon = try site.start()
        try site.ledgerWatch().wait(for: "a quarter of the fit") { try !site.ledger(.mergeProgress).isEmpty }
        let worker = try #require(daemon.worker)
        daemon.kill()
        #expect(Await.end(of: worker), "the worker outlived its daemon")
        #expect(site.current == nil)

        try site.start()
        try site.settle()
        let resumed = try #require(try site.ledger(.mergeProgress).first { $0.message.contains("resumed") })
        let step = try #require(resumed.details["step"]?.double)
        #expect(step > 0 && step < 300 && step.truncatingRemainder(dividingBy: 10) == 0)
        #expect(try site.ledger(.published).count == 1)

        let alone = try Execution.run(
            Programs.merge,
            [
                "merge", "--base", site.registry + "/base", "--task", site.path("amber"), "--task", site.path("birch"),
                "--output", site.folder.path + "/alone", "--steps", "300", "--threads", "1", "--learning-rate", "0.05",
                "--evaluate-every", "10", "--patience", "1000", "--strategy", "joint",
            ])
        #expect(alone.status == 0, "\(alone.errors)")
        for file in ["model.safetensors", "merge/coefficients.safetensors", "heads/amber.safetensors"] {
            #expect(try site.bytes(site.deployed(file)) == site.bytes(site.folder.path + "/alone/" + file), "\(file)")
        }
    }

    @Test func anOrphanIsGoneBeforeTheNextDaemonMerges() throws {
        let site = try Site(merge: ["steps": "100000", "patience": "100000", "learning-rate": "1e-6"])
        try site.drop("amber")
        let daemon = try site.start()
        try ChangeWatch([site.state]).wait(for: "a worker") { daemon.worker != nil }
        let worker = try #require(daemon.worker)
        // A stopped worker can't notice that its daemon has gone.
        Glibc.kill(worker, SIGSTOP)
        daemon.kill()
        #expect(!Await.end(of: worker, within: .zero))
        let second = try site.start()
        #expect(Await.end(of: worker))
        #expect(try second.stop() == 0)
    }

    /// At every moment whoever reads `deploy` sees an old release or a new one, whole; nothing that was live is lost.
    @Test(arguments: 1...3) func readersSeeOldOrNewWhole(seed: UInt64) throws {
        var random = Randomness(seed: seed)
        let site = try Site(steps: 5, merge: ["evaluate-every": "1"])
        try site.start().kill()
        var highest = 0
        for round in 0..<7 {
            let task = Workshop.taskNames[round % Workshop.taskNames.count]
            if FileManager.default.fileExists(atPath: site.path(task)) {
                try Durable.remove("\(site.folder.path)/removed-\(task)")
                try site.remove(task)
            } else {
                try site.drop(task)
            }
            let watch = try ChangeWatch([site.state, site.deploy, site.deploy + "/versions", site.deploy + "/.staging"])
            let daemon = try DaemonProcess(site)
            _ = watch.waitForChanges(Int.random(in: 1...48, using: &random), silence: .seconds(5))
            daemon.kill()
            let version = try expectWhole(site)
            #expect(version >= highest)
            highest = version
        }
        try site.start()
        try site.settle()
        #expect(try expectWhole(site) >= highest)
        let merged = try #require(try site.release()?.record.tasks.map(\.name))
        let there = Workshop.taskNames.filter { FileManager.default.fileExists(atPath: site.path($0)) }
        #expect(merged == there)
        let verified = try site.control("verify")
        #expect(verified.status == 0, "\(verified.output) \(verified.errors)")
        let published = try site.ledger(.published).compactMap(\.version)
        #expect(published == Array(Set(published)).sorted(), "a number was used twice")
        #expect(try FileManager.default.contentsOfDirectory(atPath: site.deploy + "/.staging").isEmpty)
    }

    /// The number of the release that `current` leads to; 0 where there is none yet. Every file has its digest.
    private func expectWhole(_ site: Site) throws -> Int {
        guard let current = site.current else { return 0 }
        let release = try #require(try site.release(), "\(current) is not whole")
        #expect(current == "versions/\(release.version)")
        for output in release.record.result.outputs {
            let file = try ReadableFile(path: release.directory + "/" + output.name)
            let digest = try file.sha256()
            #expect(file.size == output.bytes && digest == output.sha256, "\(current)/\(output.name)")
        }
        return release.version
    }
}
