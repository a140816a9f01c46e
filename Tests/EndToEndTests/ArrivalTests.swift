import Files
import Foundation
import Ledger
import Testing

/// Tasks come, change and go.
@Suite struct ArrivalTests {
    @Test func aSecondTaskStartsFromTheDeployedWeights() throws {
        // Rate 1e-9: coefficients stay where they start, so that the release shows where that was.
        let site = try Site(steps: 20)
        try site.drop("amber")
        let daemon = try site.start()
        try site.rescan()
        let first = try TensorFile(path: site.deployed("merge/coefficients.safetensors")).tensors
        #expect(first.values.contains { abs($0.floats[0] - 0.3) > 0.01 })
        site.merge["learning-rate"] = "1e-9"
        site.merge["steps"] = "1"
        #expect(try daemon.stop() == 0)
        try site.writeConfiguration()
        try site.drop("birch")
        try site.start()
        try site.settle()
        let second = try TensorFile(path: site.deployed("merge/coefficients.safetensors")).tensors
        #expect(second.count == first.count)
        for (layer, values) in second {
            let old = try #require(first[layer])
            guard !layer.contains(":correction") else {
                #expect(values.shape == old.shape)
                #expect(zip(values.floats, old.floats).allSatisfy { abs($0 - $1) < 1e-4 }, "\(layer)")
                continue
            }
            #expect(values.shape == [2] + old.shape.dropFirst())
            let (kept, new) = (values.floats.prefix(old.floats.count), values.floats.dropFirst(old.floats.count))
            #expect(zip(kept, old.floats).allSatisfy { abs($0 - $1) < 1e-4 }, "\(layer)")
            let start: Float = layer.hasSuffix(":columns") ? 1 : 0.3
            #expect(new.count == old.floats.count && new.allSatisfy { abs($0 - start) < 1e-4 }, "\(layer)")
        }
    }

    @Test func severalAtOnceBecomeOneMerge() throws {
        let site = try Site()
        try site.start()
        for task in Workshop.taskNames { try site.drop(task) }
        try site.settle()
        #expect(try site.ledger(.mergeStarted).count == 1)
        #expect(try site.ledger(.published).count == 1)
        #expect(try site.release()?.record.tasks.map(\.name) == Workshop.taskNames)
        for task in Workshop.taskNames {
            #expect(FileManager.default.fileExists(atPath: site.deployed("heads/\(task).safetensors")))
        }
    }

    @Test func aRegistryThatIsFullAtTheStartIsOneMerge() throws {
        let site = try Site()
        for task in ["amber", "birch", "cedar"] { try site.drop(task) }
        try site.start()
        try site.settle()
        #expect(try site.ledger(.mergeStarted).count == 1)
        #expect(try site.versions() == [1])
    }

    @Test func changedContentIsANewVersionOfTheTask() throws {
        let site = try Site()
        try site.drop("amber")
        try site.start()
        try site.rescan()
        let before = try #require(try site.release()?.record.tasks.first?.digest)
        try site.drop("amber") { folder in
            var model = try TensorFile(path: folder + "/model.safetensors")
            model.tensors["classifier.bias"]?.floats[0] += 0.001
            try model.write(folder + "/model.safetensors")
        }
        try site.settle()
        #expect(site.current == "versions/2")
        let record = try #require(try site.release()?.record)
        #expect(record.tasks.first?.digest != before)
        #expect(record.result.tasks.first?.deployed != nil)
    }

    @Test func aRemovedTaskIsGoneFromTheNextRelease() throws {
        let site = try Site()
        try site.drop("amber")
        try site.drop("birch")
        try site.start()
        try site.rescan()
        try site.remove("birch")
        try site.settle()
        #expect(site.current == "versions/2")
        #expect(try site.release()?.record.tasks.map(\.name) == ["amber"])
        #expect(!FileManager.default.fileExists(atPath: site.deployed("heads/birch.safetensors")))
        #expect(try site.ledger(.removed).map(\.task) == ["birch"])
        #expect(try site.versions() == [1, 2], "the old release stays for those who still read it")
    }

    @Test func aRestartWithNothingNewDoesNothing() throws {
        let site = try Site()
        try site.drop("amber")
        let daemon = try site.start()
        try site.rescan()
        #expect(try daemon.stop() == 0)
        let (before, model) = (try site.ledger().count, try site.bytes(site.deployed("model.safetensors")))
        let second = try site.start()
        try site.settle()
        #expect(try second.stop() == 0)
        #expect(try site.ledger().dropFirst(before).map(\.event) == [.started, .configurationLoaded, .stopped])
        #expect(site.current == "versions/1")
        #expect(try site.bytes(site.deployed("model.safetensors")) == model)
    }

    @Test func filesBehindLinksThatStayInTheRegistryAreMerged() throws {
        let site = try Site(steps: 5)
        let pool = site.registry + "/pool"
        try Durable.createDirectories(pool)
        for (folder, name) in [("tasks/amber", "model"), ("tasks/amber", "validation"), ("base", "model")] {
            let source = try folder == "base" ? site.registry + "/base" : Workshop.shared().task("amber")
            try site.copy("\(source)/\(name).safetensors", to: "\(pool)/\(folder.suffix(5))-\(name)")
            let place = "\(site.registry)/\(folder)"
            try Durable.createDirectories(place)
            try Durable.remove("\(place)/\(name).safetensors")
            let up = folder == "base" ? "../pool" : "../../pool"
            try FileManager.default.createSymbolicLink(
                atPath: "\(place)/\(name).safetensors", withDestinationPath: "\(up)/\(folder.suffix(5))-\(name)")
        }
        try site.start()
        try site.settle()
        #expect(site.current == "versions/1")
        try site.drop("birch")
        try site.settle()
        #expect(try site.release()?.record.tasks.map(\.name) == ["amber", "birch"])
    }

    @Test func namesOfTemporariesAreIgnored() throws {
        let site = try Site()
        try site.start()
        for name in [".amber", "amber.tmp", "amber.part", "amber.incomplete"] { try site.drop("amber", as: name) }
        try site.settle()
        #expect(try site.ledger(.mergeStarted).isEmpty)
        try Durable.rename(site.path("amber.tmp"), to: site.path("amber"))
        try site.settle()
        #expect(site.current == "versions/1")
    }

    @Test func methodsThatLearnNothingNeedNoValidationAndTheLedgerSaysSo() throws {
        let site = try Site(merge: ["method": "task-arithmetic"])
        for task in ["amber", "birch"] {
            try site.drop(task) { try Durable.remove($0 + "/validation.safetensors") }
        }
        try site.start()
        try site.settle()
        #expect(site.current == "versions/1")
        #expect(try site.ledger(.published).first?.message.contains("no gate") == true)
    }
}
