import Daemon
import Foundation
import Testing
import WorkerProtocol

struct ConfigurationTests {
    private func faults(_ text: String) -> [ConfigurationFault] {
        do throws(ConfigurationError) {
            _ = try Configuration.parse(text, file: "test.yaml")
            return []
        } catch {
            return error.faults
        }
    }

    private var documentedPlace: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "config/supermerged.yaml")
    }

    private var documentedFile: String {
        get throws { try String(contentsOf: documentedPlace, encoding: .utf8) }
    }

    /// `make configuration` writes the section.
    @Test func theDocumentedSectionOfMergesIsMadeFromTheTable() throws {
        let file = try documentedFile
        let start = try #require(file.range(of: "\nmerge:\n")).upperBound
        let end = try #require(file.range(of: "\n\n#", range: start..<file.endIndex)).lowerBound
        let section = MergeSetting.all.map(documented).joined(separator: "\n\n")
        if ProcessInfo.processInfo.environment["SUPERMERGE_WRITE_PAGES"] != nil {
            try file.replacingCharacters(in: start..<end, with: section)
                .write(to: documentedPlace, atomically: true, encoding: .utf8)
        } else {
            #expect(file[start..<end] == section, "run make configuration")
        }
    }

    private func documented(_ setting: MergeSetting) -> String {
        let words = setting.description.split(separator: " ")
        let lines = words.reduce(into: [""]) { lines, word in
            if lines[lines.count - 1].count + word.count + 1 > 114 { lines.append("") }
            lines[lines.count - 1] += " " + word
        }
        let value = setting.show(MergeSettings())
        let type = " Type: \(setting.kind). Default: \(value)".trimmingCharacters(in: .whitespaces)
        return ((lines + [" " + type]).map { "  #\($0)" } + ["  \(setting.name): \(value.isEmpty ? "\"\"" : value)"])
            .joined(separator: "\n")
    }

    @Test func theDocumentedFileHoldsTheDefaults() throws {
        #expect(try Configuration.parse(documentedFile, file: "supermerged.yaml") == Configuration())
    }

    @Test func everyKeyIsDocumentedWithKindAndDefault() throws {
        var documented: [String: (kind: String, value: String)] = [:]
        var (section, kind, value) = ("", "", "")
        for line in try documentedFile.split(separator: "\n") {
            let text = line.trimmingCharacters(in: .whitespaces)
            if text.hasPrefix("# Type: "), let range = text.range(of: ". Default:") {
                kind = String(text[text.index(text.startIndex, offsetBy: 8)..<range.lowerBound])
                value = text[range.upperBound...].trimmingCharacters(in: .whitespaces)
            } else if !text.hasPrefix("#"), let colon = text.firstIndex(of: ":") {
                let name = String(text[..<colon])
                if !line.hasPrefix(" ") { section = "" }
                documented[section.isEmpty ? name : "\(section).\(name)"] = (kind, value)
                if text.hasSuffix(":") { section = name }
            }
        }
        for key in ConfigurationKey.all {
            let entry = try #require(documented[key.path], "\(key.path) is not documented")
            #expect(entry.kind == key.kind, "\(key.path)")
            #expect(entry.value == key.show(Configuration()), "\(key.path)")
        }
        #expect(documented["hooks"] != nil)
    }

    @Test func allFaultsAreReportedAtOnceWithTheirLines() {
        let found = faults(
            """
            registry: relative
            setle: 5s
            merge:
              steps: 0
              method: magic
              lerning-rate: 1
            gate: 7
            hooks: [x]
            """)
        #expect(found.map(\.line) == [1, 2, 4, 5, 6, 7, 8])
        #expect(
            found.map(\.key) == [
                "registry", "setle", "merge.steps", "merge.method", "merge.lerning-rate", "gate", "hooks[0]",
            ])
    }

    @Test(arguments: ["correction", "calibrated"])
    func aStartThatATreeCannotHaveIsAFault(start: String) {
        let found = faults("merge: {strategy: hierarchical, start: \(start)}")
        #expect(found.map(\.key) == ["merge.start"])
        #expect(found.first?.message.contains("strategy hierarchical") == true)
        #expect(faults("merge: {strategy: hierarchical, start: task-vectors}").isEmpty)
        #expect(faults("merge: {strategy: incremental, start: \(start)}").isEmpty)
    }

    @Test(arguments: [
        "registry: /r\ndeploy: /r", "registry: /r\ndeploy: /r/tasks/x", "registry: /r\nstate: /r/.state",
        "registry: /r\nsocket: /r/s", "registry: /d/registry\ndeploy: /d", "registry: /r\nstate: /x/../r/a",
        "registry: /s/r\nstate: /s",
    ])
    func directoriesInsideTheRegistryAndAroundItAreFaults(text: String) {
        #expect(faults(text).count == 1)
    }

    @Test func directoriesBesideTheRegistryAreFine() {
        #expect(faults("registry: /r\ndeploy: /r2\nstate: /rs/x\nsocket: /r.sock").isEmpty)
    }

    @Test func valuesAreRead() throws {
        let read = try Configuration.parse(
            """
            registry: /r/
            settle: 250ms
            merge: {method: task-arithmetic, memory: 512MiB, seed: 7, learning-rate: 1e-3, strategy: auto, fan-in: 4,
                    squash: none}
            retain: {versions: 2, grace: 90m}
            hooks: []
            """, file: "test.yaml")
        #expect(read.registry == "/r")
        #expect(read.settle == .milliseconds(250))
        #expect(read.merge.method == .taskArithmetic)
        #expect(read.merge.memory == 512 << 20)
        #expect(read.merge.seed == 7)
        #expect(read.merge.learningRate == 0.001)
        #expect(read.merge.strategy == .auto)
        #expect(read.merge.fanIn == 4)
        #expect(read.merge.squash == .identity)
        #expect(read.retain.versions == 2)
        #expect(read.retain.grace == .seconds(5400))
    }

    @Test(arguments: [
        "merge: {steps: 1", "- a\n- b", "settle: 5s\nsettle: 6s", "settle: {a: 1}", "settle: -5s", "settle: 5 parsecs",
        "merge: {memory: 0}", "merge: {fan-in: 1}", "merge: {strategy: tree}", "merge: {scale: 1}",
        "merge: {squash: clamp, scale: -0.1}", "merge: {squash: sigmoid}", "merge: {squash: none, scale: search}",
        "merge: {method: adamerging, squash: none, scale: 1}",
        "merge: {method: ties, adapter: true}", "merge: {granularity: element, adapter: true}",
        "merge: {holdout: nan}", "merge: {seed: -1}",
        "retain: {versions: 0}",
        "rescan: 0", "merge: {steps: 99999999999999999999}", "settle: 1e400s", "settle: 99999999999999d", "\u{0}",
    ])
    func badInputIsAFaultAndNeverATrap(text: String) {
        #expect(!faults(text).isEmpty)
    }

    @Test(arguments: ["", "# nothing\n", "merge:\n", "hooks:\n"])
    func emptyIsTheDefault(text: String) throws {
        #expect(try Configuration.parse(text, file: "test.yaml") == Configuration())
    }

    @Test func withoutBoundsAFitStartsAnywhere() throws {
        let read = try Configuration.parse("merge: {squash: none, scale: 1.5}", file: "test.yaml")
        #expect(read.merge.scale == 1.5)
    }

    @Test func aMissingFileIsAFault() {
        #expect(throws: ConfigurationError.self) { try Configuration.load("/nowhere/supermerged.yaml") }
    }

    @Test(arguments: [("8GiB", 8 << 30), ("1.5KiB", 1536), ("10kB", 10_000), ("7", 7)] as [(String, Int64)])
    func sizes(text: String, bytes: Int64) {
        #expect(Quantity.size(text) == bytes)
    }

    @Test(arguments: [("5GB", 5_000_000_000), ("8GiB", 8 << 30), ("7B", 7), ("1025B", 1025)] as [(String, Int64)])
    func sizesAreShownAsShortAsTheyAre(text: String, bytes: Int64) {
        #expect(Quantity.text(bytes: bytes) == text)
    }

    @Test(arguments: ["0", "-1GB", "much", "99999999TB", "1e9", "[5GB]"]) func aShardSizeThatHoldsNothingIsAFault(
        text: String
    ) {
        let found = faults("merge: {max-shard-size: \(text)}")
        #expect(found.map(\.key) == ["merge.max-shard-size"])
    }
}
