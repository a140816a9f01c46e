import Files
import Foundation
import Testing

/// `docs/audit.md`: every command in it, and what it is said to show.
@Suite struct AuditTests {
    @Test func everyCommandShowsWhatThePageSays() throws {
        let site = try Site(steps: 5)
        let answers = try DocumentedPage("docs/audit.md").blocks
        #expect(answers.filter { !$0.shows.isEmpty }.count == 8)
        // The page's own way to a key, which is what the rest is signed with.
        for command in try #require(answers.last).commands {
            let made = try site.documented(command)
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
                let result = try site.documented(command)
                #expect(result.status == 0 && !result.output.isEmpty, "\(command): \(result.errors)")
                output += result.output
            }
            for text in answer.shows {
                #expect(output.contains(text), "\(text) is not in what \(answer.commands) say: \(output)")
            }
        }
        let own = try Digest.sha256(site.bytes(Programs.merge))
        #expect(try site.documented("supermergectl show 2 --json").output.contains("\"supermerge\":\"\(own)\""))
    }
}
