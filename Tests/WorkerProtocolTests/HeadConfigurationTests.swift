import Foundation
import Testing
import WorkerProtocol

/// What is taken over of a task's `config.json`, which anybody may have written.
@Suite struct HeadConfigurationTests {
    private func read(_ text: String) -> HeadConfiguration? { HeadConfiguration(Array(text.utf8)) }

    @Test func onlyWhatTheHeadNeedsIsTakenOver() throws {
        let found = try #require(
            read(
                #"""
                {"architectures": ["BertForSequenceClassification"], "num_labels": 2, "hidden_size": 16,
                 "id2label": {"0": "bad", "1": "good"}, "label2id": {"bad": 0, "good": 1},
                 "problem_type": "single_label_classification", "auto_map": {"AutoModel": "evil.Model"},
                 "_name_or_path": "/home/someone"}
                """#))
        let content = try found.content()
        #expect(
            String(decoding: content, as: UTF8.self) == """
                {
                  "architectures" : [
                    "BertForSequenceClassification"
                  ],
                  "id2label" : {
                    "0" : "bad",
                    "1" : "good"
                  },
                  "label2id" : {
                    "bad" : 0,
                    "good" : 1
                  },
                  "problem_type" : "single_label_classification"
                }

                """)
        #expect(HeadConfiguration(content) == found)
    }

    @Test func aNumberOfLabelsStandsWhereThereAreNoNames() {
        #expect(read(#"{"num_labels": 7}"#)?.labelCount == 7)
        #expect(read(#"{"num_labels": 7, "label2id": {"a": 0}}"#)?.classes == nil)
    }

    @Test(arguments: [
        "", "[]", "{", "null", "{}", #"{"model_type": "bert"}"#, #"{"architectures": "BertModel"}"#,
        #"{"architectures": []}"#, #"{"architectures": ["os.system"]}"#, #"{"architectures": ["__import__"]}"#,
        #"{"architectures": ["Bert\u0301Model"]}"#, #"{"num_labels": 0}"#, #"{"num_labels": -1}"#,
        #"{"num_labels": 1e30}"#, #"{"num_labels": 99999999}"#, #"{"id2label": {"x": "a"}}"#,
        #"{"id2label": {"00": "a"}}"#, #"{"id2label": {"0": 1}}"#, #"{"id2label": {}}"#,
        #"{"problem_type": "import os"}"#, String(repeating: "[", count: 100_000),
    ]) func whatTransformersDoesNotWriteIsLeftOut(text: String) {
        #expect(read(text) == nil)
    }

    @Test func endlessLabelsAreLeftOut() {
        let long = String(repeating: "a", count: 1025)
        #expect(read(#"{"id2label": {"0": "\#(long)"}}"#) == nil)
        let many = (0...65_536).map { #""\#($0)":"""# }.joined(separator: ",")
        #expect(read(#"{"id2label": {\#(many)}}"#) == nil)
        #expect(read(#"{"num_labels": 2}"# + String(repeating: " ", count: HeadConfiguration.longest)) == nil)
    }

    /// One key that is no good takes no other with it.
    @Test func theRestIsKept() {
        let found = read(#"{"architectures": ["A B"], "num_labels": 3, "problem_type": 7}"#)
        #expect(found?.labelCount == 3 && found?.architectures == nil && found?.problem == nil)
    }
}
