import Foundation
import Testing

extension Site {
    /// Runs a command of the documentation with its paths exchanged for this site's, in the site's folder and without
    /// `sudo`.
    func documented(_ command: String) throws -> Execution {
        let places = [
            ("sudo ", ""), ("/etc/supermerge/main.yaml", configuration), ("/etc/supermerge", folder.path),
            ("/srv/supermerge/registry", registry), ("/srv/supermerge/deploy", deploy),
            ("/var/lib/supermerge", state), ("/run/supermerge/main.sock", socket),
            ("/usr/bin/supermerge", Programs.merge),
        ]
        let command = places.reduce(command) { $0.replacing($1.0, with: $1.1) }
        let programs = URL(filePath: Programs.merge).deletingLastPathComponent().path
        return try Execution.run(
            "/bin/sh", ["-c", "cd '\(folder.path)' && \(command)"],
            environment: ["PATH": "\(programs):/usr/bin:/bin", "SUPERMERGE_SOCKET": socket])
    }

    /// Runs a page from its first command to its last, but for those that `CommandsElsewhere` knows; each has to
    /// succeed, and each block to show what the page says. `deeds` are done in place of the commands that they stand
    /// for.
    func follow(_ page: DocumentedPage, _ deeds: [String: () throws -> Void] = [:]) throws {
        for block in page.blocks {
            var output = ""
            for command in block.commands {
                if let deed = deeds[command] {
                    try deed()
                } else if CommandsElsewhere.place(of: command) == nil {
                    let run = try documented(command)
                    let story = try? ledger().suffix(4).map(\.message).joined(separator: " | ")
                    #expect(run.status == 0, "\(page.name): \(command): \(run.output)\(run.errors) \(story ?? "")")
                    output += run.output
                }
            }
            for text in block.shows {
                #expect(output.contains(text), "\(page.name): \(text) is not in what \(block.commands) say: \(output)")
            }
        }
    }
}
