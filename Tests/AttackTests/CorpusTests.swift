import Attacks
import Foundation
import Reliability
import Testing

/// The committed attacks: `Fuzz/Corpus/<attack>/<accepted or refused>/<name of the attack>`.
@Suite struct CorpusTests {
    static let corpus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fuzz/Corpus")

    struct Sample: Sendable {
        var attack: Attack
        var expected: Attack.Outcome
        var path: String
    }

    static func samples() -> [Sample] {
        Attack.allCases.flatMap { attack in
            [Attack.Outcome.accepted, .refused].flatMap { expected in
                let folder = corpus.appending(path: "\(attack.rawValue)/\(expected.rawValue)").path
                let names = (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? []
                return names.map { Sample(attack: attack, expected: expected, path: "\(folder)/\($0)") }
            }
        }
    }

    private func run(_ attack: Attack, _ bytes: [UInt8]) throws -> Attack.Outcome {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "attack-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        return try attack.run(bytes, scratch: scratch)
    }

    @Test func everyAttackHasSamplesOfBothKinds() {
        let samples = Self.samples()
        for attack in Attack.allCases {
            let outcomes = Set(samples.filter { $0.attack == attack }.map(\.expected))
            #expect(outcomes == [.accepted, .refused], "\(attack)")
        }
    }

    @Test func theOutcomeIsTheExpectedOne() throws {
        let other = "another outcome than this file's"
        let tally = OutcomeCounter(
            "attack-files", "a committed attack on a reader of untrusted bytes (`Fuzz/Corpus`)", forbidden: [other])
        for sample in Self.samples() {
            let bytes = Array(try Data(contentsOf: URL(filePath: sample.path)))
            do {
                let outcome = try run(sample.attack, bytes)
                tally.note(outcome == sample.expected ? "\(outcome.rawValue), as it has to be" : other)
                #expect(outcome == sample.expected, "\(sample.path)")
            } catch {
                tally.note(other)
                Issue.record("\(sample.path): \(error)")
            }
        }
        #expect(tally.isGood)
        try tally.write()
    }

    /// Every sample with single bytes changed and cut anywhere: read or refused, never a trap, and the refusal fit for
    /// a log.
    @Test(arguments: Attack.allCases) func mutationsAreReadOrRefused(_ attack: Attack) throws {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func next(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % max(limit, 1)
        }
        let unsound = "unsound, or a refusal unfit for a log"
        let tally = OutcomeCounter(
            "attack-mutations-\(attack.rawValue)",
            "a committed attack on the reader of \(attack.rawValue), with bytes changed or cut off",
            forbidden: [unsound])
        for sample in Self.samples() where sample.attack == attack {
            let bytes = Array(try Data(contentsOf: URL(filePath: sample.path)))
            for round in 0..<40 where bytes.count < 64 << 10 {
                var changed = bytes
                if round % 4 == 0 {
                    changed = Array(changed.prefix(next(changed.count)))
                } else {
                    for _ in 0..<(1 + round % 3) where !changed.isEmpty {
                        changed[next(changed.count)] = UInt8(next(256))
                    }
                }
                do {
                    tally.note(try run(attack, changed).rawValue)
                } catch {
                    tally.note(unsound)
                    Issue.record("\(sample.path): \(error)")
                }
            }
        }
        #expect(tally.isGood)
        try tally.write()
    }
}
