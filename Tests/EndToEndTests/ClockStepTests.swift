import Files
import Foundation
import Ledger
import Testing

/// Steps of the time of day while a release is on trial: a real daemon whose calendar clock a library in front of libc
/// moves by what a file says.
@Suite struct ClockStepTests {
    private static let compiler = ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang", "/opt/swift/usr/bin/clang"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    private static let library = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/syscall.h>
        #include <time.h>
        #include <unistd.h>
        int clock_gettime(clockid_t clock, struct timespec *time) {
            int code = syscall(SYS_clock_gettime, clock, time);
            if (code != 0 || clock != CLOCK_REALTIME) return code;
            char text[32] = {0};
            int file = open(getenv("CLOCK_STEP"), O_RDONLY | O_CLOEXEC);
            if (file < 0) return code;
            if (read(file, text, sizeof text - 1) > 0) time->tv_sec += atol(text);
            close(file);
            return code;
        }

        """

    private let years = 10 * 365 * 86400

    /// A wrapper of a daemon with the library; `step` sets how many seconds its clock is off.
    private func clock(_ site: Site, _ compiler: String) throws -> [String] {
        let (source, library) = (site.folder.path + "/step.c", site.folder.path + "/step.so")
        try Data(Self.library.utf8).write(to: URL(filePath: source))
        let run = try Execution.run(compiler, ["-shared", "-fPIC", "-o", library, source])
        try #require(run.status == 0, "\(run.errors)")
        return ["/usr/bin/env", "LD_PRELOAD=\(library)", "CLOCK_STEP=\(site.folder.path)/step"]
    }

    private func step(_ seconds: Int, _ site: Site) throws {
        try Durable.replace(site.folder.path + "/step", with: Array("\(seconds)".utf8))
    }

    private func configure(_ site: Site, window: String) throws {
        let check = "[/bin/sh, -c, 'echo asked >> \(site.folder.path)/check/asked']"
        let rollout = "{strategy: canary, window: \(window), interval: 100ms, timeout: 10m, check: {command: \(check)}}"
        try site.writeConfiguration(extra: "rollout: \(rollout)\n")
    }

    @Test(.enabled(if: compiler != nil, "there is no C compiler"))
    func aStepNeitherEndsAWindowNorHoldsItUp() throws {
        let site = try Site(steps: 5)
        let wrapper = try clock(site, try #require(Self.compiler))
        try Durable.createDirectories(site.folder.path + "/check")
        try step(0, site)
        try configure(site, window: "1h")
        var daemon = try DaemonProcess(site, under: wrapper)
        defer { daemon.kill() }
        try daemon.waitUntilReady()
        for task in ["amber", "birch"] {
            try site.drop(task)
            try site.settle()
        }
        // Ten years on, and the window of an hour is not over.
        let asked = site.folder.path + "/check"
        func count() -> Int { (try? Execution.text(asked + "/asked"))?.split(separator: "\n").count ?? 0 }
        try step(years, site)
        let before = count()
        try ChangeWatch([asked]).wait(for: "three more checks") { count() >= before + 3 }
        #expect(site.current == "versions/1")
        #expect(try site.ledger(.promoted).isEmpty && site.versions() == [1, 2])
        daemon.kill()

        // Ten years back, and a window that has been held for ends.
        try configure(site, window: "300ms")
        let watch = try site.ledgerWatch()
        daemon = try DaemonProcess(site, under: wrapper)
        try daemon.waitUntilReady()
        try step(-years, site)
        try watch.wait(for: "the promotion") { try !site.ledger(.promoted).isEmpty }
        #expect(site.current == "versions/2")
        #expect(try daemon.stop() == 0)
        let times = try site.ledger().map(\.time)
        #expect(times.max()?.prefix(3) != times.min()?.prefix(3), "the clock was not moved: \(times)")
        #expect(
            try Execution.run(Programs.control, ["verify", "--state", site.state, "--deploy", site.deploy]).status == 0)
    }
}
