import Foundation
import Testing

/// `docs/json.md` against what the programs print.
@Suite struct DocumentedJSONTests {
    @Test func everyCommandPrintsWhatIsDocumented() throws {
        let site = try Site()
        try site.drop("amber")
        try site.start()
        try site.settle()
        try site.drop("birch")
        try site.settle()
        try FileManager.default.createDirectory(
            atPath: site.registry + "/tasks/no task", withIntermediateDirectories: true)
        #expect(try site.control("pause").status == 0)
        try site.drop("cedar")
        try site.settle("the folder that is no task is refused", status: 3)
        for command in [
            "status", "health", "plan", "diff 1 2", "history", "verify", "show 1", "rescan", "reproduce 1",
        ] {
            let run = try site.control(arguments: command.split(separator: " ").map(String.init) + ["--json"])
            #expect(run.status == 0, "\(command): \(run.errors)")
            let faults = try JSONSchema(of: "supermergectl \(command) --json").faults(of: run.json())
            #expect(faults == [], "\(command)")
        }
        let plan = try site.control("plan", "--json").object()
        #expect(plan["state"] as? String == "due" && plan["estimate"] != nil && plan["seconds"] != nil)
        let changes = (plan["tasks"] as? [[String: Any]])?.compactMap { $0["change"] as? String }
        #expect(changes == ["kept", "kept", "new"])
        #expect(try site.ledger(.mergeStarted).count == 2, "a plan starts nothing")
    }

    @Test func theProgramThatMergesPrintsWhatIsDocumented() throws {
        let workshop = try Workshop.shared()
        func faults(_ command: String, _ arguments: [String]) throws -> [String] {
            let run = try Execution.run(Programs.merge, [command] + arguments + ["--json"])
            #expect(run.status == 0, "\(command): \(run.errors)")
            return try JSONSchema(of: "supermerge \(command) --json").faults(of: run.json())
        }
        for path in [workshop.base, workshop.task("amber"), workshop.base + "/graph.pt2"] {
            #expect(try faults("inspect", [path]) == [], "\(path)")
        }
        #expect(
            try faults(
                "evaluate",
                ["--model", workshop.task("amber"), "--task", workshop.task("amber"), "--base", workshop.base]) == [])
    }

    @Test func diffAndPlanAnswerInWords() throws {
        let site = try Site()
        try site.drop("amber")
        try site.start()
        try site.settle()
        #expect(try site.control("plan").output.hasPrefix("nothing to merge: up to date"))
        try site.drop("birch")
        try site.settle()
        let diff = try site.control("diff", "1", "2").output
        #expect(diff.contains("release 1 → release 2") && diff.contains("birch"))
        #expect(diff.contains("heads/birch.safetensors") && diff.contains("MOVED"))
        #expect(try site.control("diff", "1", "9").status == 1)
        #expect(try site.control("diff", "1").status == 2)
        #expect(try site.control("show", "2").output.contains("report.html"))
    }

    @Test func namesCantSteerTheTerminal() throws {
        let site = try Site()
        try FileManager.default.createDirectory(
            atPath: site.registry + "/tasks/\u{1B}[2Jevil", withIntermediateDirectories: true)
        try site.start()
        try site.rescan()
        let status = try site.control("status", "--all").output
        #expect(status.contains("\\u{1b}[2Jevil") && !status.contains("\u{1B}"))
    }
}
