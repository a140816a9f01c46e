import Foundation
import Glibc
import Testing

/// `supermergectl watch` beside a daemon that works.
@Suite struct WatchTests {
    private func watch(_ site: Site, _ flags: [String], output: String) throws -> ChildProcess {
        try ChildProcess(
            Programs.control, ["--socket", site.socket, "watch"] + flags, output: output, errors: output + ".errors")
    }

    /// The lines so far, once one of them holds `text`.
    private func lines(of output: String, until text: String) throws -> [String] {
        let changes = try ChangeWatch([URL(filePath: output).deletingLastPathComponent().path])
        var lines: [String] = []
        try changes.wait(for: text) {
            lines = try Execution.text(output).split(separator: "\n").map(String.init)
            return lines.contains { $0.contains(text) }
        }
        return lines
    }

    @Test func everythingIsToldInJSONWhileItHappens() throws {
        let site = try Site(steps: 200)
        try site.start()
        let folder = try TemporaryFolder()
        let output = folder.path + "/output"
        let watch = try watch(site, ["--json"], output: output)
        _ = try lines(of: output, until: "\"status\"")
        try site.drop("amber")
        try site.settle()
        let lines = try lines(of: output, until: "\"event\":\"published\"")
        watch.signal(SIGINT)
        #expect(try watch.wait() == 0)
        let schemas = [
            "entry": try JSONSchema(of: "supermergectl history --json"),
            "status": try JSONSchema(of: "supermergectl status --json"),
        ]
        var events: [String] = []
        var phases: Set<String> = []
        var scored: Set<String> = []
        for line in lines {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let (key, value) = try #require(object.first)
            #expect(object.count == 1)
            let faults = try #require(schemas[key]).faults(of: key == "entry" ? [value] : value)
            #expect(faults == [], "\(line)")
            let members = value as? [String: Any] ?? [:]
            if let event = members["event"] as? String { events.append(event) }
            guard let merge = members["merge"] as? [String: Any] else { continue }
            phases.insert(merge["phase"] as? String ?? "")
            for score in merge["scores"] as? [[String: Any]] ?? [] { scored.insert(score["task"] as? String ?? "") }
        }
        #expect(events.contains("accepted") && events.contains("merge-started") && events.contains("published"))
        #expect(phases.contains("fitting") && scored == ["amber"])
    }

    @Test func elsewhereThanOnATerminalItSpeaksInLines() throws {
        let site = try Site(steps: 200)
        try site.start()
        let folder = try TemporaryFolder()
        let output = folder.path + "/output"
        let watch = try watch(site, ["--last", "0"], output: output)
        _ = try lines(of: output, until: "no release yet")
        try site.drop("amber")
        try site.settle()
        let lines = try lines(of: output, until: "published release 1 with task amber")
        watch.signal(SIGTERM)
        #expect(try watch.wait() == 0)
        #expect(lines.contains { $0.contains("fitting") && $0.contains("loss") })
        #expect(!lines.joined().contains("\u{1B}"))
        #expect(!lines.contains { $0.contains("daemon started") })
    }

    /// A window of 60 columns, by util-linux's `script`.
    @Test func onATerminalLinesAreCutVisiblyAndThePageIsGivenBack() throws {
        let terminal = "/usr/bin/script"
        guard FileManager.default.isExecutableFile(atPath: terminal) else {
            print("skipped: \(terminal) is not there")
            return
        }
        let site = try Site(steps: 200)
        try site.start()
        let folder = try TemporaryFolder()
        let (output, number) = (folder.path + "/output", folder.path + "/pid")
        let command = "stty cols 60 rows 20; echo $$ >\(number); exec \(Programs.control) --socket \(site.socket) watch"
        let screen = try ChildProcess(
            terminal, ["-qec", command, "/dev/null"], output: output, errors: output + ".errors")
        _ = try lines(of: output, until: "no release yet")
        try site.drop("amber")
        try site.settle()
        _ = try lines(of: output, until: "published release 1")
        let process = try #require(pid_t(Execution.text(number).trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(kill(process, SIGINT) == 0)
        #expect(try screen.wait() == 0)
        let drawn = try Execution.text(output)
        let lines = drawn.replacing("\u{1B}[H", with: "\n").split(whereSeparator: \.isNewline)
        let widths = lines.map { $0.replacing(/\u{1B}\[[?0-9;]*[A-Za-z]/, with: "").count }
        #expect(widths.allSatisfy { $0 <= 60 } && widths.contains(60))
        #expect(lines.contains { $0.contains("…\u{1B}") })
        #expect(drawn.hasSuffix("\u{1B}[?25h\u{1B}[?1049l"))
    }

    @Test func aDaemonThatIsRestartedIsWaitedFor() throws {
        let site = try Site(steps: 200)
        let daemon = try site.start()
        let folder = try TemporaryFolder()
        let output = folder.path + "/output"
        let watch = try watch(site, [], output: output)
        _ = try lines(of: output, until: "no release yet")
        #expect(try daemon.stop() == 0)
        try site.start()
        let lines = try lines(of: output, until: "daemon stopped")
        #expect(lines.contains { $0.contains("daemon started") })
        watch.signal(SIGINT)
        #expect(try watch.wait() == 0)
    }

    @Test func whereNobodyAnswersAtTheStartItFails() throws {
        let run = try Execution.run(Programs.control, ["--socket", "/nowhere/control.sock", "watch"])
        #expect(run.status == 1 && run.errors.contains("/nowhere/control.sock"))
    }
}
