import Foundation
import Testing
import WorkerProtocol

/// What `auto` granularity becomes.
@Suite struct MergeFormTests {
    @Test func fewExamplesGetOneWeightForEachTensorAndTheLabelsToo() {
        let few = MergeSettings().settled(examples: 31, areLabelled: true)
        #expect(few.granularity == .tensor && few.loss == .both)
        let many = MergeSettings().settled(examples: 32, areLabelled: true)
        #expect(many.granularity == .rowColumn && many.loss == .auto)
    }

    @Test func withoutLabelsForAllTheLossStays() {
        let few = MergeSettings().settled(examples: 8, areLabelled: false)
        #expect(few.granularity == .tensor && few.loss == .auto)
    }

    @Test func whatWasAskedForStays() {
        var settings = MergeSettings()
        (settings.granularity, settings.loss) = (.row, .distillation)
        #expect(settings.settled(examples: 1, areLabelled: true) == settings)
        settings.granularity = .auto
        #expect(settings.settled(examples: 1, areLabelled: true).loss == .distillation)
        settings.method = .adamerging
        #expect(settings.settled(examples: 1000, areLabelled: true).granularity == .tensor)
    }

    @Test func aReleaseRecordsWhatItBecame() {
        var result = MergeResult(tasks: [])
        result.form = MergeForm(granularity: .tensor, loss: .both)
        let base = BaseSource(directory: "/base", files: [], digest: "0")
        let record = ReleaseRecord(
            version: 1, created: "", merge: "m", settings: MergeSettings(), base: base, tasks: [], result: result)
        #expect(record.settledSettings.form == result.form && record.settings == MergeSettings())
        result.form = nil
        let other = ReleaseRecord(
            version: 1, created: "", merge: "m", settings: MergeSettings(), base: base, tasks: [], result: result)
        #expect(other.settledSettings.granularity == .auto)
    }
}
