import Testing
import WorkerProtocol

@testable import Daemon

/// Answers of the team's own gate.
@Suite struct GateAnswerTests {
    private func parse(_ text: String) throws -> GateRecord.Command {
        try GateAnswer.parse(Array(text.utf8), seconds: 2)
    }

    @Test func acceptsAndRefuses() throws {
        let accepted = try parse(
            #"{"verdict":"accept","tasks":{"sst2":{"metric":"em","value":0.81,"minimum":0.8}},"more":1}"#)
        #expect(accepted.isAccepted && accepted.reason == nil && accepted.seconds == 2)
        #expect(accepted.tasks["sst2"] == .init(metric: "em", value: 0.81, minimum: 0.8))
        let refused = try parse(#"{"verdict":"refuse","reason":"too slow"}"#)
        #expect(!refused.isAccepted && refused.reason == "too slow")
    }

    @Test func aValueBelowItsMinimumRefusesWhateverTheVerdictIs() throws {
        let answer = try parse(#"{"verdict":"accept","tasks":{"sst2":{"metric":"em","value":0.7,"minimum":0.8}}}"#)
        #expect(!answer.isAccepted && answer.reason == "sst2 has em 0.7, below the minimum 0.8")
    }

    @Test(arguments: [
        ("", "not JSON"), ("accept", "not JSON"), ("{}", "no verdict"), (#"{"verdict":"yes"}"#, "no verdict"),
        (#"{"verdict":"accept","tasks":{"a":{"value":"high"}}}"#, "no number as the value of task a"),
        (#"{"verdict":"accept","tasks":{"a":{"value":NaN}}}"#, "no number as the value of task a"),
    ])
    func nonsenseIsNoAnswer(text: String, reason: String) {
        do {
            _ = try parse(text)
            Issue.record("\(text) is taken for an answer")
        } catch {
            #expect("\(error)".contains(reason), "\(error)")
        }
    }

    @Test func theConfigurationIsRead() throws {
        let settings = try #require(
            try Configuration.parse(
                "gate: {command: {run: [/usr/bin/judge, a], timeout: 5m, network: true, alone: true}}", file: "t.yaml"
            ).gate.command)
        #expect(settings.words == ["/usr/bin/judge", "a"] && settings.timeout == .seconds(300))
        #expect(settings.allowsNetwork && settings.isAlone)
        for yaml in ["[/judge]", "{run: [judge]}", "{run: [/judge], time: 5m}", "{run: [/judge], network: maybe}"] {
            do {
                _ = try Configuration.parse("gate: {command: \(yaml)}", file: "t.yaml")
                Issue.record("\(yaml) is taken")
            } catch {
                #expect("\(error)".contains("gate.command"), "\(error)")
            }
        }
    }
}
