import Reliability
import Testing

/// The service under a real systemd.
@Suite struct SystemdTests {
    /// `Tests/systemd/boot` says itself where it can't boot: without root, systemd-nspawn or overlays.
    @Test func theServiceWorksUnderARealSystemd() throws {
        let folder = Programs.daemon.prefix(upTo: Programs.daemon.lastIndex(of: "/") ?? Programs.daemon.endIndex)
        let script = Programs.package.appending(path: "Tests/systemd/boot").path
        // More than the script allows its container.
        let run = try Execution.run(
            script, [String(folder)], environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], within: .seconds(1200))
        #expect(run.status == 0, "\(run.output)\n\(run.errors)")
        guard !run.output.contains("skipped:") else { return try Skip.note(run.output) }
        #expect(run.output.contains("all checks passed"), "\(run.output)")
    }
}
