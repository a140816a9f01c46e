import Foundation
import Testing

/// A daemon over tasks whose examples have no labels.
@Suite struct UnlabelledTests {
    /// Takes the labels out of a folder's examples.
    private static func strip(_ folder: String) throws {
        var examples = try TensorFile(path: folder + "/validation.safetensors")
        examples.tensors["labels"] = nil
        try examples.write(folder + "/validation.safetensors")
    }

    private func figures(_ site: Site, _ task: String) throws -> [String: Double] {
        let scores = try #require(try site.ledger(.published).last?.details["scores"]?.members[task]?.members)
        return scores.compactMapValues(\.double)
    }

    @Test func anUnlabelledTaskIsMergedAndJudgedByAgreement() throws {
        let site = try Site(steps: 15)
        try site.drop("amber")
        let daemon = try site.start()
        try site.settle()
        try site.drop("birch", edit: Self.strip)
        try site.settle()
        #expect(site.current == "versions/2")
        let accepted = try #require(try site.ledger(.accepted).last { $0.task == "birch" })
        #expect(accepted.message.contains("agreement with its own checkpoint"))
        let published = try #require(try site.ledger(.published).last)
        #expect(published.message.contains("judged by agreement with its own checkpoint: birch"))
        #expect(published.details["gate"] == .string("passed, judged by agreement with its own checkpoint: birch"))

        let result = try #require(try site.release()?.record.result.tasks.last)
        #expect(result.task == "birch" && result.own?.value == 1 && result.own?.loss == 0)
        let (base, merged) = (try #require(result.base), try #require(result.merged))
        #expect(merged.metric == "agreement" && merged.examples == 24 && merged.value > base.value)
        #expect(merged.value > 0.7, "three classes, most of which stay the checkpoint's: \(merged.value)")
        #expect(try figures(site, "birch")["after"] == merged.value)
        #expect(try figures(site, "amber")["after"] == site.release()?.record.result.tasks.first?.merged?.value)

        let shown = try site.control("show", "2").output
        #expect(shown.contains("agreement: no labels; agreement with its own checkpoint instead"))
        let card = try String(contentsOfFile: site.deployed("README.md"), encoding: .utf8)
        #expect(card.contains("| agreement |") && card.contains("those examples have no labels"))

        let task = site.path("birch")
        for model in [site.deploy + "/current", site.registry + "/base", task] {
            let run = try Execution.run(
                Programs.merge, ["evaluate", "--model", model, "--task", task, "--threads", "1", "--json"])
            let line = try run.object()
            #expect(run.status == 0 && line["metric"] as? String == "agreement", "\(run.errors)")
            #expect(line["examples"] as? Int == 96)
            let value = try #require(line["value"] as? Double)
            if model == task { #expect(value == 1) } else { #expect(value < 1) }
        }

        // From the daemon's own copy after a restart, beside a task that comes later, as a tree of fits.
        #expect(try daemon.stop() == 0)
        site.merge["strategy"] = "hierarchical"
        try site.writeConfiguration()
        try site.start()
        try site.drop("cedar", edit: Self.strip)
        try site.settle()
        let tasks = try #require(try site.release()?.record.result.tasks)
        #expect(tasks.map { $0.merged?.metric } == ["accuracy", "agreement", "agreement"])
        #expect(tasks[1].deployed?.metric == "agreement" && tasks[1].paired != nil && tasks[2].deployed == nil)
    }

    @Test func whatHarmsAnUnlabelledTaskIsStoppedByItsAgreement() throws {
        // A fit that went on with the release's correction would keep amber as it is.
        let site = try Site(steps: 10, merge: ["learning-rate": "0.001", "start": "task-vectors"])
        try site.drop("amber", edit: Self.strip)
        try site.start()
        try site.settle()
        try site.drop("birch") { folder in
            try GateTests.wreck(folder)
            try Self.strip(folder)
        }
        try site.settle(status: 3)
        #expect(site.current == "versions/1")
        let gated = try #require(try site.ledger(.gated).last)
        #expect(gated.message.contains("amber fell from"), "\(gated.message)")
        #expect(gated.message.contains("agreement with its own checkpoint"), "\(gated.message)")
        let scores = try #require(gated.details["scores"]?.members["amber"]?.members)
        #expect(scores["metric"] == .string("agreement"))
        #expect(try #require(scores["p"]?.double) < 0.05)
    }

    @Test func aLossThatNeedsLabelsRefusesItAtTheDoorUntilThatChanges() throws {
        let site = try Site(steps: 5, merge: ["loss": "labels"])
        try site.drop("amber")
        let daemon = try site.start()
        try site.settle()
        try site.drop("birch", edit: Self.strip)
        try site.settle(status: 3)
        let refusal = try #require(try site.ledger(.refused).last { $0.task == "birch" })
        #expect(refusal.details["code"] == .string("missing-labels"))
        for word in ["labels", "loss: distillation"] { #expect(refusal.message.contains(word), "\(refusal.message)") }
        #expect(try site.ledger(.mergeStarted).count == 1)

        site.merge["loss"] = "distillation"
        try site.writeConfiguration()
        daemon.process.signal(SIGHUP)
        try site.ledgerWatch().wait(for: "birch") {
            try site.ledger(.accepted).contains { $0.task == "birch" }
        }
        try site.settle()
        #expect(try site.release()?.record.tasks.map(\.name) == ["amber", "birch"])

        // Back again: the release stays, and the reason is said.
        site.merge["loss"] = "labels"
        try site.writeConfiguration()
        daemon.process.signal(SIGHUP)
        try site.ledgerWatch().wait(for: "the refusal") {
            try site.ledger(.refused).count { $0.task == "birch" } > 1
        }
        try site.settle(status: 3)
        #expect(try site.release()?.record.tasks.map(\.name) == ["amber", "birch"])
        let status = try site.control("status").output
        #expect(status.contains("birch") && status.contains("loss: distillation"), "\(status)")
    }

    @Test func mergingByHandSaysSo() throws {
        let folder = try TemporaryFolder()
        let workshop = try Workshop.shared()
        let task = folder.path + "/birch"
        try FileManager.default.copyItem(atPath: workshop.task("birch"), toPath: task)
        try Self.strip(task)
        func merge(_ output: String, _ flags: String...) throws -> Execution {
            try Execution.run(
                Programs.merge,
                [
                    "merge", "--base", workshop.base, "--task", workshop.task("amber"), "--task", task, "--output",
                    "\(folder.path)/\(output)", "--steps", "5", "--threads", "1",
                ] + flags)
        }
        let run = try merge("one")
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("judged by agreement with its own checkpoint: birch"))
        #expect(run.output.contains("agreement"))
        let refused = try merge("two", "--loss", "both")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("configure `loss: distillation`"), "\(refused.errors)")
    }
}
