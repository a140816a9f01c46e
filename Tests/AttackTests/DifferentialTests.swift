import Attacks
import Files
import Foundation
import Reliability
import Testing

/// This parser of safetensors against the reference one: the committed attacks, mutations of them, and whole files.
@Suite struct DifferentialTests {
    @Test(
        .enabled(
            if: ReferenceParser.python != nil, "no Python with the safetensors package; SUPERMERGE_PYTHON names one"))
    func everyDifferenceIsIntended() throws {
        let reference = ReferenceParser(python: try #require(ReferenceParser.python))
        let (same, both) = ("the same tensors and bytes", "refused by both")
        let forbidden = ["other tensors or bytes", "accepted here alone", "refused here alone, not intended"]
        let tally = OutcomeCounter(
            "differential-safetensors",
            "a file read here and by the reference, safetensors \(try reference.version()): attacks, their mutations, "
                + "whole files",
            forbidden: forbidden)
        let folder = FileManager.default.temporaryDirectory.appending(path: "differential-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files =
            try SafetensorsSamples.attacks() + SafetensorsSamples.whole(500) + Difference.all.map { $0.specimen() }
        for (number, bytes) in files.enumerated() {
            try Data(bytes).write(to: folder.appending(path: "\(number)"))
        }
        let verdicts = try reference.verdicts(folder.path, count: files.count)
        #expect(verdicts.count == files.count)
        for (number, verdict) in verdicts.enumerated() {
            let path = folder.appending(path: "\(number)").path
            let refusal = try Attack.safetensors.refusal(of: files[number], scratch: folder.path + "/scratch")
            let outcome: String
            switch (refusal, verdict) {
            case (nil, .accepted(let theirs)):
                outcome = try SafetensorsContent.text(path) == theirs ? same : forbidden[0]
            case (nil, .refused): outcome = forbidden[1]
            case (_?, .refused): outcome = both
            case (let refusal?, .accepted):
                outcome =
                    Difference.all.first { refusal.contains($0.reason) }.map { "refused here alone: \($0.reason)" }
                    ?? forbidden[2]
            }
            tally.note(outcome)
            #expect(!forbidden.contains(outcome), "file \(number): \(outcome): \(refusal ?? "accepted"), \(verdict)")
        }
        // Every difference that is listed is one, and files that are whole are most of what both accept.
        for difference in Difference.all {
            #expect(
                tally.count("refused here alone: \(difference.reason)") > 0, "\(difference.reason): \(difference.why)")
        }
        #expect(tally.isGood && tally.count(same) >= 500)
        try tally.write()
    }
}
