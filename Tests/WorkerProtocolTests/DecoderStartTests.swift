import Foundation
import Testing
import WorkerProtocol

@Suite struct DecoderStartTests {
    @Test(arguments: [
        (#"{"decoder_start_token_id": 0, "pad_token_id": 1}"#, 0, 1), (#"{"decoder_start_token_id": 2}"#, 2, 2),
        (#"{"text_config": {"decoder_start_token_id": 3, "pad_token_id": 0}}"#, 3, 0),
        (#"{"decoder": {"pad_token_id": 5}, "decoder_start_token_id": 4}"#, 4, 5),
    ])
    func isReadFromAConfiguration(text: String, start: Int64, padding: Int64) {
        #expect(DecoderStart(configuration: Array(text.utf8)) == DecoderStart(start: start, padding: padding))
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"decoder_start_token_id": null}"#, #"{"decoder_start_token_id": -1}"#,
        #"{"decoder_start_token_id": "0"}"#, #"{"pad_token_id": 0}"#,
    ])
    func othersDoNotSay(text: String) {
        #expect(DecoderStart(configuration: Array(text.utf8)) == nil)
    }

    @Test func movesEachRowRight() {
        let start = DecoderStart(start: 9, padding: 0)
        #expect(start.inputs([1, 2, -100, 4, -100, -100], length: 3) == [9, 1, 2, 9, 4, 0])
        #expect(start.inputs([], length: 3) == [])
    }

    /// What a version without metrics wrote.
    @Test func oldSettingsAreRead() throws {
        let text = #"{"objective": "classification", "head": ["a"], "weight": 2}"#
        #expect(
            try JSON.decode(TaskSettings.self, from: Data(text.utf8)) == TaskSettings(head: ["a"], weight: 2))
    }

    @Test func everyObjectiveHasAMetricThatFits() {
        for objective in TaskSettings.Objective.allCases {
            #expect(Metric.fitting(objective).first == Metric(of: objective))
        }
    }

    @Test func movesTheLastTokenToTheFrontForMBart() throws {
        let text = #"{"model_type": "mbart", "decoder_start_token_id": 2, "pad_token_id": 1}"#
        let start = try #require(DecoderStart(configuration: Array(text.utf8)))
        #expect(
            start.inputs([5, 6, 2, 94, 7, 2, 95, -100, 8, 2, 96, 1], length: 4) == [
                94, 5, 6, 2, 95, 7, 2, 95, 96, 8, 2, 96,
            ])
        #expect(start.inputs([-100, -100], length: 2) == [1, 1])
    }
}
