import Files
import Foundation
import Testing
import WorkerProtocol

@testable import Merging

/// Graphs that can't be used.
@Suite(.serialized)
struct GraphFaultTests {
    /// A plan whose base's graph was changed by `change` to a text of the same length.
    private func plan(in directory: String, _ change: (String) -> String) throws -> MergePlan {
        var plan = try Fixture.plan(Fixture.settings(), in: directory)
        let base = try ModelFolder(plan.base.directory, copiedTo: directory + "/base")
        let path = base.path + "/graph.pt2"
        let text = try String(contentsOfFile: path, encoding: .isoLatin1)
        let changed = change(text)
        try #require(changed != text && changed.count == text.count)
        try Durable.remove(path)
        try changed.write(toFile: path, atomically: false, encoding: .isoLatin1)
        plan.base.directory = base.path
        return plan
    }

    private func unsupported(_ text: String) -> String {
        text.replacing("torch.ops.aten.conv2d.default", with: "torch.ops.aten.unknwn.default")
    }

    @Test func anUnsupportedOperatorIsTheBasesFault() throws {
        try Fixture.temporarily { directory in
            let plan = try plan(in: directory, unsupported)
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badBase && failure?.message.contains("aten.unknwn") == true)
        }
    }

    @Test func aDamagedGraphIsTheBasesFault() throws {
        try Fixture.temporarily { directory in
            var plan = try plan(in: directory) { $0.replacing("\"schema_version\"", with: "\"schema_versiom\"") }
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badBase)
            plan.settings.method = .average
            #expect(try MergeRun(plan, report: { _ in }).run().notes.count == 1)
        }
    }

    @Test func aStaticMethodMergesWithoutScoresAndSaysSo() throws {
        try Fixture.temporarily { directory in
            var plan = try plan(in: directory, unsupported)
            plan.settings.method = .average
            let result = try MergeRun(plan, report: { _ in }).run()
            #expect(result.tasks.allSatisfy { $0.merged == nil })
            #expect(result.notes.count == 1 && result.notes[0].contains("aten.unknwn"))
            #expect(!result.outputs.isEmpty)
        }
    }

    @Test(arguments: [MergeSettings.Method.supermerge, .average])
    func aParameterThatTheBaseHasUnderAnotherNameIsNoHead(_ method: MergeSettings.Method) throws {
        try Fixture.temporarily { directory in
            var settings = try Fixture.settings()
            settings.method = method
            var plan = try Fixture.plan(settings, in: directory)
            let base = try ModelFolder(plan.base.directory, copiedTo: directory + "/base")
            try base.rename { $0 == "vit.layernorm.weight" ? "vit.layernorm.scale" : $0 }
            plan.base.directory = base.path
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badBase)
            for name in ["vit.layernorm.weight", "vit.layernorm.scale"] {
                #expect(failure?.message.contains("`\(name)`") == true)
            }
        }
    }

    @Test func aFixedBatchAxisIsTheBasesFault() throws {
        try Fixture.temporarily { directory in
            let plan = try plan(in: directory) { text in
                // The sizes of the value that the signature calls pixel_values: [s, 3, 12, 12].
                let pattern = #/("pixel_values":\{"dtype":7,"sizes":\[)(\{"as_expr":\{[^\]]*?\}\}),/#
                return text.replacing(pattern) { match in
                    let number = #"{"as_int":4"#
                    let filling = String(repeating: " ", count: match.output.2.count - number.count - 1)
                    return "\(match.output.1)\(number)\(filling)},"
                }
            }
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badBase && failure?.message.contains("pixel_values") == true)
        }
    }
}
