import Testing
import WorkerProtocol

/// The texts that digests over settings are taken over.
@Suite struct SettingsEncodingTests {
    @Test func leavesOutDefaults() {
        var settings = MergeSettings()
        #expect(settings.encodings.first?.text == "{}")
        settings.steps = 7
        settings.ridge = 0.1
        #expect(settings.encodings.first?.text == #"{"ridge":0.1,"steps":7}"#)
    }

    @Test(arguments: MergeSettings.Method.allCases) func leavesOutMethodsOwnDefaults(_ method: MergeSettings.Method) {
        var settings = MergeSettings()
        settings.method = method
        settings.scale = method.usualScale
        settings.granularity = method.usualGranularity
        settings.learningRate = method.usualLearningRate(settings.granularity)
        (settings.schedule, settings.steps) = (method.usualSchedule(.auto), method.usualSteps(.auto))
        let text = method == .supermerge ? "{}" : #"{"method":"\#(method.rawValue)"}"#
        #expect(settings.encodings.first?.text == text)
    }

    @Test func leavesOutMachine() {
        var settings = MergeSettings()
        (settings.threads, settings.memory, settings.device) = (3, 1 << 20, .cuda)
        #expect(settings.encodings == MergeSettings().encodings)
    }

    /// As version 0.1.0 wrote them, and a later one that already had `start`.
    @Test func knowsTextsOfVersionOne() {
        let before =
            #"{"arrival_learning_rate":0.1,"arrival_share":0.2,"batch":16,"device":"cpu","evaluate_every":10,"#
            + #""fan_in":2,"granularity":"auto","holdout":0.25,"learning_rate":0.03,"loss":"auto","#
            + #""max_shard_size":5000000000,"memory":0,"method":"supermerge","mixup":8,"patience":10,"#
            + #""precision":"f32","scale":0.3,"schedule":"constant","searches_scale":false,"seed":0,"squash":"tanh""#
        let after = #","steps":600,"strategy":"incremental","threads":0,"writes_adapter":false}"#
        let texts = MergeSettings().encodings.filter { $0.version == 1 }.map(\.text)
        #expect(texts.contains(before + #","start":"task-vectors""# + after))
        #expect(texts.contains(before + after))
    }

    @Test func hasNoOlderTextForSettingsThatOlderVersionsLack() {
        var settings = MergeSettings()
        settings.start = .calibrated
        let texts = settings.encodings.filter { $0.version == 1 }.map(\.text)
        #expect(!texts.isEmpty && texts.allSatisfy { $0.contains(#""start":"calibrated""#) })
    }

    /// A default that changes: what nobody wrote was the older one, and what somebody writes is what it says.
    @Test func countsAPresentDefaultAsAFormerOne() {
        let former = MergeSettings.defaults(ofVersion: 2)
        #expect(former.start == .taskVectors && former.steps == 600 && former.schedule == .constant)
        #expect(former.encoding(version: 2).text == "{}")
        #expect(MergeSettings().encodings.contains(former.encoding(version: 2)))
        #expect(former.encodings.contains(former.encoding(version: 2)))
        #expect(former.encodings.first != MergeSettings().encodings.first)
        // The start alone pins the former default.
        #expect(former.encodings.first?.text == #"{"start":"task-vectors"}"#)
        var pinned = MergeSettings()
        pinned.start = .calibrated
        #expect(!pinned.encodings.contains(former.encoding(version: 2)))
    }

    @Test func keepsLargeSeeds() {
        var (one, other) = (MergeSettings(), MergeSettings())
        (one.seed, other.seed) = (.max, .max - 1)
        #expect(one.encodings.first?.text == #"{"seed":18446744073709551615}"#)
        #expect(Set(one.encodings).isDisjoint(with: other.encodings))
    }
}
