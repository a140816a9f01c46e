import Foundation
import Glibc
import Ledger
import Testing

/// SIGTERM and SIGHUP.
@Suite struct SignalTests {
    /// A site whose merge takes far longer than the test, and has begun to fit.
    private func mergingSite() throws -> (Site, DaemonProcess, worker: pid_t) {
        let site = try Site(merge: ["steps": "100000", "patience": "100000", "learning-rate": "1e-6"])
        try site.drop("amber")
        let daemon = try site.start()
        let watch = try site.ledgerWatch()
        try watch.wait(for: "the start of a merge") { try !site.ledger(.mergeStarted).isEmpty }
        let scratch = try #require(try FileManager.default.contentsOfDirectory(atPath: site.state + "/merges").first)
        let fit = site.state + "/merges/" + scratch
        try ChangeWatch([fit]).wait(for: "the saved fit") {
            FileManager.default.fileExists(atPath: fit + "/fit.safetensors")
        }
        return (site, daemon, try #require(daemon.worker))
    }

    @Test func stoppingMidFitEndsTheWorkerAndSavesItsWeights() throws {
        let (site, daemon, worker) = try mergingSite()
        daemon.process.signal(SIGTERM)
        #expect(try daemon.process.wait() == 0, "\(daemon.errors)")
        #expect(Await.end(of: worker, within: .zero))
        #expect(try site.ledger().suffix(2).map(\.event) == [.mergeCancelled, .stopped])
        #expect(site.current == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: site.deploy + "/.staging").isEmpty)
        let second = try site.start()
        let watch = try site.ledgerWatch()
        try watch.wait(for: "the fit going on") {
            try site.ledger(.mergeProgress).contains { $0.message.contains("resumed") }
        }
        #expect(try second.stop() == 0)
    }

    @Test func anInterruptFromTheTerminalIsAStop() throws {
        let (site, daemon, worker) = try mergingSite()
        daemon.process.signal(SIGINT)
        #expect(try daemon.process.wait() == 0)
        #expect(Await.end(of: worker, within: .zero))
        #expect(site.current == nil)
    }

    @Test func aBadConfigurationIsKeptOutAtReload() throws {
        let site = try Site(steps: 5)
        let daemon = try site.start()
        try site.writeConfiguration(extra: "colour: red\n")
        daemon.process.signal(SIGHUP)
        try daemon.notifications.wait(for: "RELOADING=1")
        try daemon.notifications.wait(for: "READY=1")
        let rejected = try #require(try site.ledger(.configurationRejected).last)
        #expect(rejected.message.contains("colour") && rejected.message.contains("kept as it was"))
        #expect(daemon.errors.contains("colour"))
        try site.drop("amber")
        try site.settle()
        #expect(try site.release()?.record.settings.steps == 5)
    }

    @Test func aGoodConfigurationIsTakenOverAtReload() throws {
        let site = try Site(steps: 5)
        let daemon = try site.start()
        site.merge["steps"] = "7"
        try site.writeConfiguration()
        daemon.process.signal(SIGHUP)
        try daemon.notifications.wait(for: "RELOADING=1")
        try daemon.notifications.wait(for: "READY=1")
        try site.drop("amber")
        try site.settle()
        #expect(try site.release()?.record.settings.steps == 7)
    }

    @Test func directoriesDontMoveUnderARunningDaemon() throws {
        let site = try Site(steps: 5)
        let daemon = try site.start()
        site.keys["deploy"] = site.folder.path + "/elsewhere"
        try site.writeConfiguration()
        daemon.process.signal(SIGHUP)
        try daemon.notifications.wait(for: "RELOADING=1")
        try daemon.notifications.wait(for: "READY=1")
        let rejected = try #require(try site.ledger(.configurationRejected).last)
        #expect(rejected.message.contains("deploy") && rejected.message.contains("restart"))
        try site.drop("amber")
        try site.settle()
        #expect(site.current == "versions/1")
    }
}
