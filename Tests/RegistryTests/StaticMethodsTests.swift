import Testing
import WorkerProtocol

@testable import Tasks

/// What `inspect` says of a folder that only methods without examples take.
@Suite struct StaticMethodsTests {
    @Test func everyMethodThatNeedsNoExamplesIsNamed() {
        let result = AdmissionDryRunResult(role: .task, outcome: .admittedForStaticMethods)
        for method in MergeSettings.Method.allCases {
            let isNamed = result.text.contains(method.rawValue)
            #expect(isNamed || method.needsExamples, "\(method.rawValue): \(result.text)")
        }
        #expect(!result.text.contains("adamerging") && result.text.contains("iso-cts"))
    }
}
