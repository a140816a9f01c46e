import Files
import Foundation
import Ledger
import Testing

/// Bad drops are refused by one line each; the release stands, the daemon lives, good drops go on.
@Suite struct RefusalTests {
    /// A site with `amber` deployed, and its running daemon.
    private func deployedSite(steps: Int = 5) throws -> (Site, DaemonProcess) {
        let site = try Site(steps: steps)
        try site.drop("amber")
        let daemon = try site.start()
        try site.settle()
        return (site, daemon)
    }

    /// Waits for the look at what was dropped, and expects one refusal with this code and nothing else to have
    /// happened.
    private func expectRefusal(_ site: Site, _ task: String, code: String, _ words: String...) throws {
        try site.settle(status: 3)
        let refusals = try site.ledger(.refused).filter { $0.task == task }
        #expect(refusals.count == 1)
        let refusal = try #require(refusals.last)
        #expect(refusal.details["code"] == .string(code), "\(refusal.message)")
        #expect(!refusal.message.contains("\n"))
        for word in words { #expect(refusal.message.contains(word), "\(refusal.message)") }
        #expect(site.current == "versions/1")
        #expect(try site.ledger(.mergeStarted).count == 1)
        #expect(try site.control("status", "--json").status == 0)
    }

    @Test func aTruncatedFileIsRefusedAndAcceptedWhenItIsComplete() throws {
        let (site, _) = try deployedSite()
        let whole = try site.bytes(Workshop.shared().task("birch") + "/model.safetensors")
        try site.drop("birch") { folder in
            try whole.prefix(whole.count - 100).write(to: URL(filePath: folder + "/model.safetensors"))
        }
        try expectRefusal(site, "birch", code: "truncated", "\(whole.count - 100) of \(whole.count)")
        let file = try FileHandle(forWritingTo: URL(filePath: site.path("birch", "model.safetensors")))
        try file.seekToEnd()
        try file.write(contentsOf: whole.suffix(100))
        try file.close()
        try site.settle()
        #expect(site.current == "versions/2")
        #expect(try site.release()?.record.tasks.map(\.name) == ["amber", "birch"])
    }

    @Test func aNaNIsFound() throws {
        let (site, _) = try deployedSite()
        try site.drop("birch") { folder in
            var model = try TensorFile(path: folder + "/model.safetensors")
            model.tensors["vit.layernorm.weight"]?.floats[7] = .nan
            try model.write(folder + "/model.safetensors")
        }
        try expectRefusal(site, "birch", code: "not-finite", "vit.layernorm.weight")
    }

    @Test func aPickleIsNeverLoaded() throws {
        let (site, _) = try deployedSite()
        try site.drop("birch") { try Data("\u{80}\u{02}.".utf8).write(to: URL(filePath: $0 + "/pytorch_model.bin")) }
        try expectRefusal(site, "birch", code: "pickle", "pytorch_model.bin")
    }

    @Test func codeIsNeverLoaded() throws {
        let (site, _) = try deployedSite()
        try site.drop("birch") { try Data("import os".utf8).write(to: URL(filePath: $0 + "/modeling.py")) }
        try expectRefusal(site, "birch", code: "code", "modeling.py")
    }

    @Test func aLinkThatLeavesTheRegistryIsNotFollowed() throws {
        let (site, _) = try deployedSite()
        let outside = try Workshop.shared().task("birch") + "/model.safetensors"
        try site.drop("birch") { folder in
            try Durable.remove(folder + "/model.safetensors")
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/model.safetensors", withDestinationPath: outside)
        }
        try site.settle(status: 3)
        let refusal = try #require(try site.ledger(.refused).last { $0.task == "birch" })
        #expect(refusal.message.contains("link"), "\(refusal.message)")
        #expect(site.current == "versions/1")
    }

    @Test func labelsOutsideTheHeadAreRefused() throws {
        let (site, _) = try deployedSite()
        try site.drop("birch") { folder in
            var examples = try TensorFile(path: folder + "/validation.safetensors")
            examples.tensors["labels"]?.integers[5] = 3
            try examples.write(folder + "/validation.safetensors")
        }
        try expectRefusal(site, "birch", code: "labels-outside-head", "hold 3", "0 to 2")
    }

    @Test func aTaskWithoutValidationIsNotMergedBlind() throws {
        let (site, _) = try deployedSite()
        try site.drop("birch") { try Durable.remove($0 + "/validation.safetensors") }
        try site.settle(status: 3)
        let refusal = try #require(try site.ledger(.refused).last { $0.task == "birch" })
        #expect(refusal.message.contains("validation.safetensors"), "\(refusal.message)")
        #expect(site.current == "versions/1")
    }

    @Test func anotherArchitectureIsRefused() throws {
        let (site, _) = try deployedSite()
        try site.drop("birch") { folder in
            try Durable.remove(folder + "/model.safetensors")
            let other = Programs.package.appending(path: "Tests/ExportedModelTests/Fixtures/bert/model.safetensors")
            try site.copy(other.path, to: folder + "/model.safetensors")
        }
        try expectRefusal(site, "birch", code: "missing-parameter")
    }

    @Test func aBadDropDelaysNoGoodOne() throws {
        let (site, _) = try deployedSite()
        try site.drop("birch") { try Durable.remove($0 + "/validation.safetensors") }
        try site.drop("cedar")
        try site.settle(status: 3)
        #expect(try site.release()?.record.tasks.map(\.name) == ["amber", "cedar"])
    }

    @Test func aSpoiledVersionOfADeployedTaskLeavesTheReleaseAlone() throws {
        let (site, _) = try deployedSite()
        try site.drop("amber") { folder in
            try Data("not safetensors".utf8).write(to: URL(filePath: folder + "/model.safetensors"))
        }
        try site.settle(status: 3)
        #expect(site.current == "versions/1")
        #expect(try site.ledger(.refused).contains { $0.task == "amber" })
    }

    /// The old version stays deployed from the daemon's own copy, and goes into the merge of what comes next.
    @Test(arguments: ["spoilt", "emptied"])
    func aBadReplacementOfADeployedTaskDelaysNoGoodDrop(how: String) throws {
        let (site, daemon) = try deployedSite()
        let digest = try #require(try site.release()?.record.tasks.first?.digest)
        for name in ["model", "validation"] {
            let path = site.path("amber", "\(name).safetensors")
            try how == "spoilt" ? Data("no".utf8).write(to: URL(filePath: path)) : Durable.remove(path)
        }
        try site.settle(how, status: 3)
        try site.drop("birch")
        try site.settle(how)
        let record = try #require(try site.release()?.record)
        #expect(record.tasks.map(\.name) == ["amber", "birch"])
        #expect(record.tasks.first?.digest == digest)
        #expect(record.result.tasks.first?.deployed != nil, "the gate still compares it")
        #expect(try daemon.stop() == 0)
        try site.start()
        try site.drop("cedar")
        try site.settle(how)
        #expect(try site.release()?.record.tasks.map(\.digest).first == digest)
        #expect(try site.release()?.record.tasks.count == 3)
        try site.remove("amber")
        try site.settle(how)
        #expect(try site.release()?.record.tasks.map(\.name) == ["birch", "cedar"])
    }

    @Test func anOperatorThatCantBeRunIsNamedWithItsNode() throws {
        let site = try Site(steps: 5)
        let graph = site.registry + "/base/graph.pt2"
        // The archive's entries are stored, never compressed: a name of the same length can be put in its place.
        var archive = try site.bytes(graph)
        let name = Data("torch.ops.aten.gelu.default".utf8)
        while let place = archive.firstRange(of: name) {
            archive.replaceSubrange(place, with: Data("torch.ops.aten.gelo.default".utf8))
        }
        try archive.write(to: URL(filePath: graph))
        try site.drop("amber")
        try site.start()
        try site.settle(status: 1)
        let entry = try #require(try site.ledger().last { $0.event == .mergeFailed })
        for word in ["aten.gelo.default", "node 'gelu"] { #expect(entry.message.contains(word), "\(entry.message)") }
        #expect(site.current == nil)
        #expect(try site.control("status", "--json").status == 0)
        try site.settle(status: 1)
        #expect(try site.ledger(.mergeStarted).count == 1, "it is not tried over and over")
    }
}
