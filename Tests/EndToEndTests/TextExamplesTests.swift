import Files
import Foundation
import Testing
import WorkerProtocol

/// Tasks that bring their examples as tables of texts: admitted, merged and gated by the programs as those with
/// tensors.
@Suite struct TextExamplesTests {
    private func site() throws -> Site { try Site(steps: 8, base: TextWorkshop.shared().base) }

    private func drop(_ site: Site, _ task: String, edit: (String) throws -> Void = { _ in }) throws {
        try site.drop(task, of: TextWorkshop.shared().task(task), edit: edit)
    }

    /// Replaces the table of a folder by the tensors that are made of it.
    private func replaceTable(in folder: String) throws {
        let tensors = folder + "/validation.safetensors"
        let run = try Execution.run(
            Programs.merge, ["encode", folder, "--base", TextWorkshop.shared().base, "--output", tensors])
        #expect(run.status == 0, "\(run.errors)")
        for name in ExampleFiles.tables { try Durable.remove("\(folder)/\(name)") }
    }

    private func sets(_ site: Site) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: site.state + "/examples").sorted()
    }

    @Test func tablesGiveTheReleasesThatTensorsGive() throws {
        let sites = try [site(), site()]
        for (site, hasTables) in zip(sites, [true, false]) {
            try site.start()
            for task in ["sentiment", "topics"] {
                try drop(site, task) { if !hasTables { try replaceTable(in: $0) } }
                try site.settle()
            }
            #expect(site.current == "versions/2")
        }
        let records = try sites.map { try #require(try $0.release()?.record) }
        #expect(records[0].tasks.map(\.examples?.source) == ["validation.jsonl", "validation.csv"])
        #expect(records[0].tasks.allSatisfy { $0.files.contains { ExampleFiles.tables.contains($0.name) } })
        #expect(records[0].result.tasks == records[1].result.tasks)
        #expect(records[0].result.tasks.allSatisfy { ($0.merged?.value ?? 0) > ($0.base?.value ?? 1) })
        let digests = records.map { record in record.result.outputs.first { $0.name == "model.safetensors" }?.sha256 }
        #expect(digests[0] != nil && digests[0] == digests[1])
        let again = try sites[0].control("reproduce", "2")
        #expect(again.status == 0, "\(again.output) \(again.errors)")

        let scores = try zip(sites, [true, false]).map { site, _ in
            try Execution.run(
                Programs.merge,
                ["evaluate", "--model", site.deploy + "/current", "--task", site.path("sentiment"), "--json"]
            ).output
        }
        #expect(scores[0] == scores[1] && scores[0].contains("\"examples\":96"), "\(scores)")
    }

    @Test func theCacheSurvivesRestartsAndItsLoss() throws {
        let site = try site()
        let daemon = try site.start()
        try drop(site, "sentiment")
        try site.settle()
        let first = try sets(site)
        let path = "\(site.state)/examples/\(try #require(first.first))"
        let identity = try FileIdentity.of(path: path)
        #expect(first.count == 1)
        #expect(try daemon.stop() == 0)
        try site.start()
        try drop(site, "topics")
        try site.settle()
        #expect(try sets(site).count == 2)
        #expect(try FileIdentity.of(path: path) == identity)

        // What the next merge needs is made again.
        try Durable.remove(site.state + "/examples")
        try drop(site, "topics") { folder in
            let table = try Execution.text(folder + "/validation.csv")
            try Data((table + "a great match,sport\n").utf8).write(to: URL(filePath: folder + "/validation.csv"))
        }
        try site.settle()
        #expect(site.current == "versions/3")
        #expect(try sets(site).contains(first[0]))
    }

    @Test func aMalformedLineIsRefusedAlikeEverywhere() throws {
        let site = try site()
        try site.start()
        let workshop = try TextWorkshop.shared()
        try drop(site, "sentiment") { folder in
            let lines = try Execution.text(folder + "/validation.jsonl").split(separator: "\n")
            let table = (lines.prefix(2) + ["{\"text\": \"a\", \"label\" \"positive\"}"] + lines.dropFirst(3))
                .joined(separator: "\n")
            try Data(table.utf8).write(to: URL(filePath: folder + "/validation.jsonl"))
        }
        try site.settle(status: 3)
        let refusal = try #require(try site.ledger(.refused).last)
        #expect(refusal.message.contains("validation.jsonl:3:23: "), "\(refusal.message)")
        #expect(refusal.details["code"] == "malformed-examples")

        let task = site.path("sentiment")
        let inspection = try Execution.run(Programs.merge, ["inspect", task, "--base", workshop.base, "--json"])
        let verdict = try #require(try inspection.object()["verdict"] as? [String: Any])
        let message = try #require(verdict["message"] as? String)
        #expect(inspection.status == 1 && verdict["code"] as? String == "malformed-examples")
        #expect(refusal.message.contains(message))
        for arguments in [
            ["merge", "--base", workshop.base, "--task", task, "--output", site.folder.path + "/merged"],
            ["evaluate", "--model", workshop.base, "--task", task, "--base", workshop.base],
        ] {
            let run = try Execution.run(Programs.merge, arguments)
            #expect(run.status == 1 && run.output.isEmpty)
            #expect(run.errors.contains("task sentiment: refused (malformed-examples): \(message)"), "\(run.errors)")
        }
    }

    @Test(arguments: [
        (
            "validation.jsonl", "{\"text\": \"a\", \"label\": \"neutral\"}\n", "invalid-examples",
            "expected one of negative"
        ),
        ("validation.jsonl", "{\"body\": \"a\", \"label\": 1}\n", "invalid-examples", "has no text column"),
        ("validation.jsonl", "", "invalid-examples", "has no examples"),
        ("validation.csv", "text,label\na,1\n", "ambiguous-examples", "validation.jsonl and validation.csv are there"),
    ])
    func otherFaultsAreRefusedByName(file: String, content: String, code: String, message: String) throws {
        let workshop = try TextWorkshop.shared()
        let folder = try TemporaryFolder()
        let task = folder.path + "/sentiment"
        try FileManager.default.copyItem(atPath: workshop.task("sentiment"), toPath: task)
        try Data(content.utf8).write(to: URL(filePath: "\(task)/\(file)"))
        let run = try Execution.run(Programs.merge, ["inspect", task, "--base", workshop.base, "--json"])
        let verdict = try #require(try run.object()["verdict"] as? [String: Any])
        #expect(run.status == 1 && verdict["code"] as? String == code, "\(run.output)")
        #expect((verdict["message"] as? String)?.contains(message) == true, "\(run.output)")
    }

    @Test func inspectShowsWhatIsScored() throws {
        let workshop = try TextWorkshop.shared()
        let run = try Execution.run(
            Programs.merge, ["inspect", workshop.task("sentiment"), "--base", workshop.base])
        let examples = run.output.split(separator: "\n").filter { $0.hasPrefix("  example: [CLS] ") }
        #expect(examples.count == 3 && examples.allSatisfy { $0.hasSuffix("tive") }, "\(run.output)")
        #expect(run.output.hasSuffix(": 96 examples\n"))
    }

    @Test func settingsOfTheTaskDecide() throws {
        let workshop = try TextWorkshop.shared()
        let folder = try TemporaryFolder()
        let task = folder.path + "/sentiment"
        try FileManager.default.copyItem(atPath: workshop.task("sentiment"), toPath: task)
        let table = try Execution.text(task + "/validation.jsonl").replacing("\"text\"", with: "\"review\"")
        try Data(table.utf8).write(to: URL(filePath: task + "/validation.jsonl"))
        try Data("columns: {text: review}\nmax-length: 6\n".utf8).write(to: URL(filePath: task + "/task.yaml"))
        let run = try Execution.run(Programs.merge, ["inspect", task, "--base", workshop.base])
        #expect(run.status == 0 && run.output.contains("are longer than 6 tokens and are cut there"), "\(run.output)")
        let lengths = run.output.split(separator: "\n").filter { $0.hasPrefix("  example: ") }
            .map { $0.dropFirst("  example: ".count).split(separator: " → ")[0].split(separator: " ").count }
        #expect(lengths == [6, 6, 6])
    }
}
