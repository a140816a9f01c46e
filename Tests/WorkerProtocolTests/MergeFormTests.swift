import Foundation
import Testing
import WorkerProtocol

/// What `auto` granularity becomes.
@Suite struct MergeFormTests {
    @Test func fewExamplesGetOneWeightForEachTensorAndTheLabelsToo() {
        let few = MergeSettings().resolved(examples: 31, areLabelled: true)
        #expect(few.granularity == .tensor && few.loss == .both)
        let many = MergeSettings().resolved(examples: 32, areLabelled: true)
        #expect(many.granularity == .rowColumn && many.loss == .auto)
    }

    @Test func withoutLabelsForAllTheLossStays() {
        let few = MergeSettings().resolved(examples: 8, areLabelled: false)
        #expect(few.granularity == .tensor && few.loss == .auto)
    }

    @Test func autoThatBecomesTensorTakesItsRate() {
        var settings = MergeSettings()
        #expect(settings.resolved(examples: 8, areLabelled: true).learningRate == 0.01)
        #expect(settings.resolved(examples: 64, areLabelled: true).learningRate == 0.03)
        settings.learningRate = 0.05
        #expect(settings.resolved(examples: 8, areLabelled: true).learningRate == 0.05)
    }

    @Test func pinnedSettingsResolveToThemselves() {
        let resolved = MergeSettings().resolved(examples: 8, areLabelled: true, strategy: .hierarchical)
        #expect(resolved.pinned.resolved(examples: 1000, areLabelled: false).pinned == resolved.pinned)
        #expect(resolved.pinned.strategy == .hierarchical && resolved.pinned.learningRate == 0.01)
    }

    @Test func whatWasAskedForStays() {
        var settings = MergeSettings()
        (settings.granularity, settings.loss) = (.row, .distillation)
        #expect(settings.resolved(examples: 1, areLabelled: true) == ResolvedSettings(settings))
        settings.granularity = .auto
        #expect(settings.resolved(examples: 1, areLabelled: true).loss == .distillation)
        settings.method = .adamerging
        #expect(settings.resolved(examples: 1000, areLabelled: true).granularity == .tensor)
    }

    @Test func aReleaseRecordsWhatItBecame() {
        var result = MergeResult(tasks: [])
        result.form = MergeForm(granularity: .tensor, loss: .both)
        let base = BaseSource(directory: "/base", files: [], digest: "0")
        let record = ReleaseRecord(
            version: 1, created: "", merge: "m", settings: MergeSettings(), base: base, tasks: [], result: result)
        #expect(record.resolvedSettings.form == result.form && record.settings == MergeSettings())
        result.form = nil
        let other = ReleaseRecord(
            version: 1, created: "", merge: "m", settings: MergeSettings(), base: base, tasks: [], result: result)
        #expect(other.resolvedSettings.granularity == .auto)
    }
}
