import Files
import Foundation
import Testing

/// `docs/audit.md`: every command in it, and what it is said to show.
@Suite struct AuditTests {
    /// A block of commands, and what has to be in its output.
    private struct Answer {
        var commands: [String]
        var shows: [String]
    }

    private func answers() throws -> [Answer] {
        let text = try String(contentsOf: Programs.package.appending(path: "docs/audit.md"), encoding: .utf8)
        return text.components(separatedBy: "```sh\n").dropFirst().map { part in
            let halves = part.components(separatedBy: "```\n")
            let after = halves.dropFirst().first ?? ""
            var shows: [String] = []
            if after.hasPrefix("<!-- shows: "), let end = after.range(of: " -->") {
                shows = after[..<end.lowerBound].dropFirst("<!-- shows: ".count).components(separatedBy: ", ")
            }
            return Answer(commands: halves[0].split(separator: "\n").map(String.init), shows: shows)
        }
    }

    @Test func everyCommandShowsWhatThePageSays() throws {
        let site = try Site(steps: 5)
        let answers = try answers()
        #expect(answers.filter { !$0.shows.isEmpty }.count == 8)
        let places = [
            ("/srv/supermerge/deploy", site.deploy), ("/var/lib/supermerge", site.state),
            ("/etc/supermerge", site.folder.path), ("/usr/bin/supermerge", Programs.merge),
        ]
        let folder = Programs.merge.prefix(upTo: Programs.merge.lastIndex(of: "/") ?? Programs.merge.endIndex)
        func run(_ command: String) throws -> Execution {
            let command = places.reduce(command) { $0.replacing($1.0, with: $1.1) }
            return try Execution.run(
                "/bin/sh", ["-c", "cd '\(site.folder.path)' && \(command)"],
                environment: ["PATH": "\(folder):/usr/bin:/bin", "SUPERMERGE_SOCKET": site.socket])
        }
        // The page's own way to a key, which is what the rest is signed with.
        for command in try #require(answers.last).commands {
            let made = try run(command)
            #expect(made.status == 0, "\(command): \(made.errors)")
        }
        try Durable.changeMode(site.folder.path + "/signing-key", to: 0o600)
        site.keys["signing"] = "{key: \(site.folder.path)/signing-key}"
        try site.writeConfiguration()
        try site.drop("amber")
        try site.start()
        try site.settle()
        try site.drop("cedar", as: "spoiled") { folder in
            try Durable.replace(folder + "/model.safetensors", with: Array("no weights".utf8))
        }
        try site.settle("the spoiled drop is refused", status: 3)
        try site.drop("birch")
        _ = try site.rescan()
        #expect(site.current == "versions/2")
        #expect(try site.control("pause").status == 0)
        #expect(try site.control("resume").status == 0)

        for answer in answers where !answer.shows.isEmpty {
            var output = ""
            for command in answer.commands {
                let result = try run(command)
                #expect(result.status == 0 && !result.output.isEmpty, "\(command): \(result.errors)")
                output += result.output
            }
            for text in answer.shows {
                #expect(output.contains(text), "\(text) is not in what \(answer.commands) say: \(output)")
            }
        }
        let own = try Digest.sha256(site.bytes(Programs.merge))
        #expect(try run("supermergectl show 2 --json").output.contains("\"supermerge\":\"\(own)\""))
    }
}
