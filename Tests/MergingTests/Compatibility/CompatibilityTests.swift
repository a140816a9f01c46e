import Files
import Foundation
import Testing
import WorkerProtocol

@testable import Merging

/// Every kind of input, sent through the door and into a merge; docs/compatibility.md is what comes of it.
@Suite(.serialized)
struct CompatibilityTests {
    private static let sections: [(title: String, text: String, cases: [InputCase])] = [
        (
            "Full weights",
            "A folder with `model.safetensors`, or shards with their index. A release has the base's types.",
            InputCase.fullWeights + InputCase.names + InputCase.fullWeightsRefused
        ),
        (
            "Beside the weights",
            "A release runs with the base's configuration, tokenizer and modules; another chat template, other prompts "
                + "and another end of generation are warnings.",
            InputCase.companions + InputCase.companionsRefused
        ),
        (
            "Adapters",
            "`adapter_model.safetensors` with `adapter_config.json`, as PEFT's `save_pretrained` writes them. What is "
                + "expected of those that are merged is what PEFT's `merge_and_unload` made of them.",
            InputCase.adapters + InputCase.adapterUploads + InputCase.adapterVariants + InputCase.adaptersRefused
        ),
        (
            "Architectures",
            "Any graph that `Tools/export_model.py` writes can be merged where libtorch knows its operators. These are "
                + "tested, as tiny models with their own heads; the suites hold logits and gradients against "
                + "PyTorch's, fit a merge, and load the release with transformers.",
            InputCase.families
        ),
    ]

    @Test func thePageSaysWhatHappens() async throws {
        var page = CompatibilityPage(sections: [], metrics: [])
        for section in Self.sections {
            var rows: [CompatibilityPage.Row] = []
            for inputCase in section.cases {
                let outcome = try await InputTrial(inputCase: inputCase).outcome()
                expect(outcome, inputCase)
                rows.append(.init(inputCase: inputCase, outcome: outcome))
            }
            page.sections.append(.init(title: section.title, text: section.text, rows: rows))
        }
        page.metrics = try Fixture.temporarily { try CompatibilityPage.metrics(in: $0) }
        for row in page.metrics { #expect(Set(row.taken) == Set(Metric.fitting(row.objective))) }
        if ProcessInfo.processInfo.environment["SUPERMERGE_WRITE_PAGES"] != nil {
            try Data(page.text.utf8).write(to: CompatibilityPage.file)
        }
        let written = try? String(contentsOf: CompatibilityPage.file, encoding: .utf8)
        #expect(written == page.text, "docs/compatibility.md is not what the tests find; run make compatibility")
    }

    private func expect(_ outcome: InputTrial.Outcome, _ inputCase: InputCase) {
        switch (inputCase.verdict, outcome) {
        case (.accepted(let limit), .merged(let distance, _)): #expect(distance <= limit, "\(inputCase.kind)")
        case (.refused, .refused(let message)):
            #expect(
                !message.isEmpty && !message.contains("\n") && !message.contains(NSTemporaryDirectory() + "/"),
                "\(inputCase.kind): \(message)")
        default: Issue.record("\(inputCase.kind): \(outcome)")
        }
    }

    /// The page names no suite that is not there.
    @Test func suitesAreThere() throws {
        let tests = CompatibilityPage.file.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Tests")
        let files = FileManager.default.enumerator(atPath: tests.path)?.compactMap { $0 as? String } ?? []
        for suite in Set(Self.sections.flatMap { $0.cases.flatMap(\.suites) }) {
            #expect(files.contains { "/\($0)".hasSuffix("/\(suite).swift") }, "\(suite)")
        }
    }
}
