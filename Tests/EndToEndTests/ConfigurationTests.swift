import Foundation
import Testing

/// Faults that stop the daemon at its start.
@Suite struct ConfigurationTests {
    private func run(_ site: Site, _ more: String...) throws -> Execution {
        try Execution.run(Programs.daemon, ["--config", site.configuration] + more)
    }

    @Test func everyFaultIsReportedAtOnce() throws {
        let site = try Site()
        site.merge["learning_rate"] = "0.1"
        site.keys["settle"] = "soon"
        try site.writeConfiguration(extra: "colour: red\n")
        for run in [try run(site), try run(site, "--check")] {
            #expect(run.status == 1)
            #expect(run.output.isEmpty)
            for word in [
                "merge.learning_rate", "unknown key", "colour", "'soon' is not a duration", site.configuration,
            ] {
                #expect(run.errors.contains(word), "\(run.errors)")
            }
        }
        #expect(!FileManager.default.fileExists(atPath: site.state))
    }

    @Test func aGoodConfigurationPassesTheCheck() throws {
        let site = try Site()
        let run = try run(site, "--check")
        #expect(run.status == 0 && run.output.contains("OK") && run.errors.isEmpty, "\(run.errors)")
        let shipped = Programs.package.appending(path: "config/supermerged.yaml").path
        #expect(try Execution.run(Programs.daemon, ["--config", shipped, "--check"]).status == 0)
    }

    @Test(arguments: [true, false]) func aRegistryThatIsNoDirectoryIsAWarning(isFile: Bool) throws {
        let site = try Site()
        try FileManager.default.removeItem(atPath: site.registry)
        if isFile { try Data().write(to: URL(filePath: site.registry)) }
        let run = try run(site, "--check")
        #expect(run.status == 0 && run.output.contains("OK"))
        let lines = run.errors.split(separator: "\n")
        #expect(lines.count == 1 && run.errors.contains("warning: \(site.configuration): registry: "), "\(run.errors)")
        #expect(run.errors.contains(site.registry) && run.errors.contains(isFile ? "not a directory" : "there is no"))
    }

    @Test func aMissingFileAndUsageHaveTheirStatuses() throws {
        let missing = try Execution.run(Programs.daemon, ["--config", "/nonexistent.yaml"])
        #expect(missing.status == 1 && missing.errors.contains("/nonexistent.yaml"))
        #expect(try Execution.run(Programs.daemon, []).status == 2)
        #expect(try Execution.run(Programs.daemon, ["--confg", "x"]).status == 2)
    }

    @Test func aDeployDirectoryThatCantBeWrittenIsNamed() throws {
        let site = try Site()
        try Data().write(to: URL(filePath: site.deploy))
        let run = try run(site)
        #expect(run.status == 1)
        let last = run.errors.split(separator: "\n").last.map(String.init) ?? ""
        #expect(last.contains(site.deploy), "\(run.errors)")
    }

    @Test func aSecondDaemonOnOneStateDirectoryIsTurnedAway() throws {
        let site = try Site()
        try site.drop("amber")
        let first = try site.start()
        try site.rescan()
        let entries = try site.ledger().count
        let second = try run(site)
        #expect(second.status == 1)
        #expect(second.errors.contains("in use by another supermerged"), "\(second.errors)")

        let sameSocket = try Site()
        sameSocket.keys["socket"] = site.socket
        try sameSocket.writeConfiguration()
        let third = try run(sameSocket)
        #expect(third.status == 1)
        #expect(third.errors.contains("another daemon listens on \(site.socket)"), "\(third.errors)")

        #expect(try site.control("status").status == 0)
        #expect(try site.ledger().count == entries)
        #expect(try first.stop() == 0)
    }
}
