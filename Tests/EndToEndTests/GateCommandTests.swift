import Files
import Foundation
import Ledger
import Testing

/// A gate of the team's own, called by a real daemon.
@Suite struct GateCommandTests {
    /// Refuses birch, answers nonsense about cedar, tries to change the candidate, and accepts the rest.
    private static let judge = """
        cat > "$TMPDIR/question" || exit 9
        candidate=$(sed 's/.*"candidate":"\\([^"]*\\)".*/\\1/' "$TMPDIR/question")
        test -r "$candidate/model.safetensors" || exit 8
        if grep -q '"name":"dune"' "$TMPDIR/question"; then echo x > "$candidate/model.safetensors" && exit 0; fi
        if grep -q '"name":"cedar"' "$TMPDIR/question"; then echo perhaps; exit 0; fi
        if grep -q '"name":"birch"' "$TMPDIR/question"; then
            echo '{"verdict": "accept", "tasks": {"birch": {"metric": "em", "value": 0.2, "minimum": 0.8}}}'; exit 0
        fi
        echo '{"verdict": "accept", "tasks": {"amber": {"metric": "em", "value": 0.9, "minimum": 0.8}}}'

        """

    private func site() throws -> Site {
        let site = try Site(steps: 5)
        let judge = site.folder.path + "/judge"
        try Data(Self.judge.utf8).write(to: URL(filePath: judge))
        // By the shell: a script can't be executed while a child of another test has it open for writing.
        try site.writeConfiguration(extra: "gate: {command: {run: [/bin/sh, \(judge)], timeout: 10m}}\n")
        try site.start()
        return site
    }

    @Test func itsVerdictIsInTheLedgerAndTheRelease() throws {
        let site = try site()
        #expect(try site.control("submit", Workshop.shared().task("amber"), "--wait").status == 0)
        let gate = try #require(try site.release()?.record.gate)
        #expect(gate.command?.isAccepted == true && gate.command?.tasks["amber"]?.value == 0.9)
        #expect(try site.ledger(.published).last?.details["command"]?.members["verdict"]?.text == "accept")
        let schema = try JSONSchema(of: "supermergectl show 1 --json")
        #expect(schema.faults(of: try site.control("show", "1", "--json").json()) == [])

        let refused = try site.control("submit", Workshop.shared().task("birch"), "--wait")
        #expect(
            refused.status == 3 && refused.errors.contains("birch has em 0.2, below the minimum 0.8"),
            "\(refused.errors)")
        #expect(site.current == "versions/1")
        #expect(try site.ledger(.gated).last?.details["command"]?.members["verdict"]?.text == "refuse")
    }

    @Test func nonsenseFailsTheMergeAndPublishesNothing() throws {
        let site = try site()
        let run = try site.control("submit", Workshop.shared().task("cedar"), "--wait")
        #expect(run.status == 1 && run.errors.contains("its answer is not JSON: 'perhaps"), "\(run.errors)")
        #expect(site.current == nil)
        #expect(try site.ledger(.mergeFailed).last?.message.contains("gate command") == true)
    }

    /// Whether the kernel keeps it from writing or the change is noticed: what it touched is not published.
    @Test func aCandidateThatItWritesToIsNotPublished() throws {
        let site = try site()
        let run = try site.control("submit", Workshop.shared().task("dune"), "--wait")
        if run.status == 0 {
            #expect(try site.control("verify").status == 0, "the kernel denied it")
            #expect(try TensorFile(path: site.deployed("model.safetensors")).tensors.isEmpty == false)
        } else {
            #expect(run.errors.contains("it changed the candidate"), "\(run.errors)")
            #expect(site.current == nil)
        }
    }
    /// No answer fails the merge, which is tried again later; the release that is deployed stays.
    @Test(arguments: [
        ("kill -9 $$", "10m", "it was ended by signal 9"), ("exec sleep 100000", "1s", "no answer within 1s"),
        ("echo broken >&2; exit 3", "10m", "it ended with status 3: broken"),
    ])
    func aGateThatDiesOrHangsPublishesNothing(script: String, timeout: String, reason: String) throws {
        let site = try Site(steps: 5)
        let daemon = try site.start()
        #expect(try site.control("submit", Workshop.shared().task("amber"), "--wait").status == 0)
        #expect(try daemon.stop() == 0)
        try site.writeConfiguration(extra: "gate: {command: {run: [/bin/sh, -c, '\(script)'], timeout: \(timeout)}}\n")
        try site.start()
        let run = try site.control("submit", Workshop.shared().task("birch"), "--wait")
        #expect(run.status == 1 && run.errors.contains("gate command /bin/sh: \(reason)"), "\(run.errors)")
        #expect(site.current == "versions/1")
        #expect(try site.ledger(.mergeFailed).last?.message.contains(reason) == true)
        #expect(try site.control("health").output.contains("merge-failing"))
    }
}
