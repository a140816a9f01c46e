import Foundation
import Registry
import Tasks
import Testing

/// What is said of a folder before it is dropped.
@Suite struct AdmissionDryRunTests {
    private let registry: TestRegistry

    init() throws {
        registry = try TestRegistry()
        try registry.writeBase()
    }

    private func verdict(_ name: String, base: String? = nil) throws -> AdmissionDryRunResult {
        try AdmissionDryRun("\(registry.root)/\(name)", base: base) { _ in TestRegistry.signature }.verdict()
    }

    @Test func aBaseThatIsWholeIsAdmitted() throws {
        let verdict = try verdict("base")
        #expect(verdict.role == .base && verdict.outcome == .admitted && verdict.message == nil)
        #expect(verdict.text == "would be admitted as a base")
    }

    @Test func whatTheServiceCouldNotReadIsSaid() throws {
        let file = "\(registry.root)/base/model.safetensors"
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        let verdict = try verdict("base")
        #expect(verdict.outcome == .admitted)
        #expect(verdict.text.hasPrefix("model.safetensors can be read by the owner alone"))
        #expect(verdict.text.hasSuffix("chmod -R g+rX what is copied\nwould be admitted as a base"))
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
        #expect(try self.verdict("base").warning == nil)
        for (mode, isPrivate) in [(0o700, true), (0o740, true), (0o711, true), (0o750, false), (0o755, false)] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(registry.root)/base")
            let warning = try self.verdict("base").warning
            #expect(warning?.hasPrefix("the folder can be read by the owner alone") == (isPrivate ? true : nil))
        }
    }

    @Test func aBaseWithoutAGraphServesStaticMethods() throws {
        try registry.remove("base/graph.pt2")
        let verdict = try verdict("base")
        #expect(verdict.outcome == .admittedForStaticMethods && verdict.code == nil)
        #expect(verdict.text.contains("ties") && verdict.text.contains("graph.pt2"))
    }

    @Test func aBaseIsReadToItsEnd() throws {
        try registry.write(
            "base/model.safetensors",
            TestTensor.file([
                TestTensor("trunk.weight", [4, 3], TestRegistry.trunk.dropLast() + [.nan]),
                TestTensor("trunk.bias", [4], [1, 2, 3, 4]),
            ]))
        let verdict = try verdict("base")
        #expect(verdict.outcome == .refused && verdict.code == "not-finite")
        #expect(verdict.text.contains("refused as a base (not-finite)") && verdict.text.contains("trunk.weight"))
    }

    @Test func whatNoBaseMayHoldIsNamed() throws {
        try registry.write("base/pytorch_model.bin", [1])
        let verdict = try verdict("base")
        #expect(verdict.outcome == .refused && verdict.code == "pickle")
        #expect(verdict.text.contains("pytorch_model.bin"))
    }

    @Test func aTaskOfTheRegistryIsHeldAgainstItsBase() throws {
        try registry.writeTask()
        let verdict = try verdict("tasks/t")
        #expect(verdict.role == .task && verdict.outcome == .admitted && verdict.message == "3 examples")
        #expect(verdict.base?.hasSuffix("/base") == true)
    }

    @Test func aTaskWithoutExamplesServesStaticMethods() throws {
        try registry.writeTask(validation: nil)
        let verdict = try verdict("tasks/t")
        #expect(verdict.outcome == .admittedForStaticMethods)
        #expect(verdict.text.contains("validation.safetensors"))
    }

    @Test func aTaskOfAnotherShapeIsRefused() throws {
        var weights = TestRegistry.taskTensors()
        weights[0] = TestTensor("trunk.weight", [2, 3], [Float](repeating: 1, count: 6))
        try registry.writeTask(weights: weights)
        let verdict = try verdict("tasks/t")
        #expect(verdict.outcome == .refused && verdict.code == "wrong-shape")
        #expect(verdict.text.split(separator: "\n").count == 1 && verdict.text.contains("trunk.weight"))
    }

    /// Neither would be mended by the graph that the base lacks, too.
    @Test(arguments: [("stray.weight", "extra-parameter"), (nil, "missing-parameter")] as [(String?, String)])
    func whatAGraphWouldNotMendIsSaidFirst(_ extra: String?, _ code: String) throws {
        try registry.remove("base/graph.pt2")
        var weights = TestRegistry.taskTensors()
        if let extra {
            weights.append(TestTensor(extra, [1], [1]))
        } else {
            weights[0].name = "trunk.wieght"
        }
        try registry.writeTask(weights: weights, settings: "head: [head.]")
        let verdict = try verdict("tasks/t")
        #expect(verdict.outcome == .refused && verdict.code == code)
        let parts = try #require(verdict.message).split(separator: "; and for methods that learn: ")
        try #require(parts.count == 2)
        #expect(parts[0].contains("`\(extra ?? "trunk.weight")`") && !parts[0].contains("graph.pt2"))
        #expect(parts[1].contains("graph.pt2") && !verdict.text.contains("\n"))
    }

    @Test func aBaseThatIsNoNumberIsSaidBeforeItsGraph() throws {
        try registry.remove("base/graph.pt2")
        try registry.write(
            "base/model.safetensors", TestTensor.file([TestTensor("trunk.weight", [2], [1, .nan])]))
        let verdict = try verdict("base")
        #expect(verdict.outcome == .refused && verdict.code == "not-finite")
        #expect(verdict.message?.contains("graph.pt2") == true)
    }

    @Test func examplesThatAreMissingAreSaidAfterWhatRemains() throws {
        try registry.writeTask(weights: TestRegistry.taskTensors(shift: .infinity), validation: nil)
        let verdict = try verdict("tasks/t")
        #expect(verdict.outcome == .refused && verdict.code == "not-finite")
        #expect(verdict.message?.contains("validation.safetensors") == true)
    }

    @Test func aTaskElsewhereNeedsToldItsBase() throws {
        try registry.writeTask()
        try FileManager.default.moveItem(atPath: registry.root + "/tasks/t", toPath: registry.root + "/away")
        let unknown = try verdict("away")
        #expect(unknown.role == .task && unknown.outcome == .unknown && unknown.text.contains("--base"))
        #expect(try verdict("away", base: registry.root + "/base").outcome == .admitted)
    }

    @Test func aBaseThatCantBeUsedIsSaidOfItsTask() throws {
        try registry.writeTask()
        try registry.remove("base/model.safetensors")
        let verdict = try verdict("tasks/t")
        #expect(verdict.outcome == .refused, "\(verdict.text)")
        #expect(verdict.text.contains("its base: no model.safetensors"), "\(verdict.text)")
    }

    @Test func aBaseThatWouldBeRefusedIsSaidOfItsTask() throws {
        try registry.writeTask()
        try registry.write("base/model.py", [1])
        let verdict = try verdict("tasks/t")
        #expect(verdict.outcome == .unknown && verdict.text.contains("its base would be refused: `model.py`"))
    }

    @Test func aLinkOutOfTheFolderIsRefused() throws {
        let model = registry.root + "/base/model.safetensors"
        try FileManager.default.moveItem(atPath: model, toPath: registry.path + "/model.safetensors")
        try FileManager.default.createSymbolicLink(
            atPath: model, withDestinationPath: "../../model.safetensors")
        #expect(try verdict("base").code == "link-leaves-registry")
    }

    @Test(arguments: ["nowhere", "base/model.safetensors"]) func whatIsNoFolderIsAnError(name: String) throws {
        #expect(throws: AdmissionFault.self) { try verdict(name) }
        #expect(throws: AdmissionFault.self) { try verdict("base", base: "\(registry.root)/\(name)") }
    }
}
