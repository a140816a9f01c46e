import Foundation
import Testing
import WorkerProtocol

/// The table that options, keys and pages of settings are made from.
@Suite struct MergeSettingTests {
    @Test func hasAnEntryForEveryProperty() {
        let properties = Mirror(reflecting: MergeSettings()).children.compactMap(\.label).filter {
            $0 != "searchesScale"
        }
        let known = MergeSetting.all.map { setting in
            let words = setting.name.split(separator: "-")
            return words.dropFirst().reduce(String(words[0])) { $0 + $1.capitalized }
        }
        #expect(Set(known.map { $0 == "adapter" ? "writesAdapter" : $0 }) == Set(properties))
        #expect(known.count == properties.count)
    }

    @Test(arguments: MergeSetting.all.map(\.name)) func readsWhatItShows(_ name: String) throws {
        let setting = try #require(MergeSetting.all.first { $0.name == name })
        var settings = MergeSettings()
        try setting.read(setting.show(settings), &settings)
        #expect(settings == MergeSettings())
    }

    /// Another value than the default of each, by its text.
    private static let others = [
        "method": "ties", "strategy": "joint", "fan-in": "5", "granularity": "row", "squash": "none", "loss": "both",
        "mixup": "0", "start": "calibrated", "ridge": "0.5", "steps": "7", "learning-rate": "0.5",
        "schedule": "constant", "arrival-share": "1.0", "arrival-learning-rate": "0.25", "batch": "3",
        "evaluate-every": "2", "patience": "4", "scale": "search", "density": "0.75", "holdout": "0.5",
        "seed": "18446744073709551615", "threads": "2", "device": "cuda", "precision": "bf16", "memory": "1GiB",
        "adapter": "true", "max-shard-size": "8kB",
    ]

    @Test func keepsEverySettingInRecords() throws {
        var settings = MergeSettings()
        for setting in MergeSetting.all {
            let text = try #require(Self.others[setting.name], "\(setting.name)")
            try setting.read(text, &settings)
            #expect(setting.show(settings) == text)
        }
        let record = try JSON.encode(settings)
        #expect(try JSON.decode(MergeSettings.self, from: record) == settings)
    }

    @Test(arguments: [
        ("fan-in", "1", "whole number"), ("steps", "0", "whole number"), ("holdout", "0", "above 0"),
        ("scale", "much", "'search'"), ("memory", "0", "size"), ("device", "tpu", "cpu, cuda"),
        ("density", "1.5", "at most 1"), ("ridge", "0", "above 0"), ("adapter", "yes", "true"),
    ]) func refusesOtherValuesAndSaysWhatIsExpected(_ name: String, _ text: String, _ expected: String) throws {
        let setting = try #require(MergeSetting.all.first { $0.name == name })
        var settings = MergeSettings()
        let problem = #expect(throws: SettingProblem.self) { try setting.read(text, &settings) }
        #expect(problem?.message.contains(expected) == true)
        #expect(settings == MergeSettings() || name == "scale")
    }

    /// Without steps, or without held-out examples, only where nothing is published.
    @Test(arguments: ["steps", "holdout"]) func takesZeroOnTheCommandLineAlone(_ name: String) throws {
        let setting = try #require(MergeSetting.all.first { $0.name == name })
        var settings = MergeSettings()
        try setting.readAlone("0", &settings)
        #expect(throws: SettingProblem.self) { try setting.read("0", &settings) }
    }

    @Test func takesWhatIsUsualWhereNothingIsWritten() {
        var settings = MergeSettings()
        settings.method = .adamerging
        settings.complete(written: ["method"])
        #expect(settings.granularity == .tensor && settings.learningRate == 0.001 && settings.steps == 600)
        settings.steps = 9
        settings.complete(written: ["method", "steps"])
        #expect(settings.steps == 9)
    }

    @Test func searchesTheScaleOfLOTUnlessItIsWritten() {
        var settings = MergeSettings()
        settings.method = .lot
        settings.complete(written: ["method"])
        #expect(settings.searchesScale && settings.scale == 1.3)
        settings = MergeSettings()
        (settings.method, settings.scale) = (.lot, 1.5)
        settings.complete(written: ["method", "scale"])
        #expect(!settings.searchesScale && settings.scale == 1.5)
    }
}
