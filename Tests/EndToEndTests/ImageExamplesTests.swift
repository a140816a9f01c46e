import Files
import Foundation
import Testing
import WorkerProtocol

/// Tasks that bring their examples as folders of images: admitted, merged and gated by the programs as those with
/// tensors.
@Suite struct ImageExamplesTests {
    private func site() throws -> Site { try Site(steps: 8, base: ImageWorkshop.shared().base) }

    private func drop(_ site: Site, _ task: String, edit: (String) throws -> Void = { _ in }) throws {
        try site.drop(task, of: ImageWorkshop.shared().task(task), edit: edit)
    }

    /// Replaces the images of a folder by the tensors that are made of them.
    private func replaceImages(in folder: String) throws {
        let tensors = folder + "/validation.safetensors"
        let run = try Execution.run(
            Programs.merge, ["encode", folder, "--base", ImageWorkshop.shared().base, "--output", tensors])
        #expect(run.status == 0, "\(run.errors)")
        try Durable.remove(folder + "/validation.csv")
        try Durable.remove(folder + "/validation")
    }

    @Test func imagesGiveTheReleasesThatTensorsGive() throws {
        let sites = try [site(), site()]
        for (site, hasImages) in zip(sites, [true, false]) {
            try site.start()
            for task in ["colours", "shades"] {
                try drop(site, task) { if !hasImages { try replaceImages(in: $0) } }
                try site.settle()
            }
            let refused = try site.ledger(.refused).map(\.message)
            #expect(site.current == "versions/2", "\(refused)")
        }
        let records = try sites.map { try #require(try $0.release()?.record) }
        #expect(records[0].tasks.map(\.examples?.source) == ["validation.csv", "validation/metadata.jsonl"])
        #expect(records[0].tasks.allSatisfy { task in task.files.filter { ExampleFiles.isImage($0.name) }.count == 64 })
        #expect(records[0].result.tasks == records[1].result.tasks)
        for task in records[0].result.tasks {
            let (merged, base) = (try #require(task.merged?.value), try #require(task.base?.value))
            #expect(merged > 0.5 && merged >= base, "\(task.task): \(merged), the base \(base)")
        }
        let digests = records.map { record in record.result.outputs.first { $0.name == "model.safetensors" }?.sha256 }
        #expect(digests[0] != nil && digests[0] == digests[1])
        let again = try sites[0].control("reproduce", "2")
        #expect(again.status == 0, "\(again.output) \(again.errors)")

        let scores = try sites.map { site in
            try Execution.run(
                Programs.merge,
                ["evaluate", "--model", site.deploy + "/current", "--task", site.path("colours"), "--json"]
            ).output
        }
        #expect(scores[0] == scores[1] && scores[0].contains("\"examples\":64"), "\(scores)")
    }

    /// Without a table, each in a folder of its class; other orders of the same examples give the same scores.
    @Test func foldersOfClassesNeedNoTable() throws {
        let site = try site()
        try site.start()
        try drop(site, "colours", edit: classify)
        try site.settle()
        let record = try #require(try site.release()?.record)
        #expect(record.tasks.first?.examples?.source == ExampleFiles.classFolders)
        let again = try site.control("reproduce", "1")
        #expect(again.status == 0, "\(again.output) \(again.errors)")
        let base = try ImageWorkshop.shared().base
        let values = try [site.path("colours"), ImageWorkshop.shared().task("colours")].map { task in
            try Execution.run(
                Programs.merge, ["evaluate", "--model", task, "--task", task, "--base", base, "--json"]
            ).object()["value"] as? Double
        }
        #expect(values[0] != nil && values[0] == values[1])

        try Durable.rename(site.path("colours", "validation/red"), to: site.path("colours", "validation/rosy"))
        let inspection = try Execution.run(Programs.merge, ["inspect", site.path("colours"), "--base", base])
        #expect(
            inspection.status == 1 && inspection.output.contains("\"rosy\", expected one of"), "\(inspection.output)")
    }

    /// Puts each image of a folder into one of its class, in place of the table.
    private func classify(_ folder: String) throws {
        let rows = try Execution.text(folder + "/validation.csv").split(separator: "\n").dropFirst()
        for row in rows {
            let (name, label) = (String(row.split(separator: ",")[0]), String(row.split(separator: ",")[1]))
            try Durable.createDirectories("\(folder)/validation/\(label)")
            try Durable.rename("\(folder)/validation/\(name)", to: "\(folder)/validation/\(label)/\(name)")
        }
        try Durable.remove(folder + "/validation.csv")
    }

    /// The digest covers the images, and the copies that the daemon keeps of deployed tasks have them, too.
    @Test func aChangedImageIsAnotherTaskAndCopiesAreWhole() throws {
        let site = try site()
        try site.start()
        try drop(site, "colours")
        try site.settle()
        #expect(site.current == "versions/1")
        let first = try #require(try site.release()?.record.tasks.first)
        let kept = "\(site.state)/tasks/\(first.digest)/validation"
        #expect(try Durable.list(kept).count == 64)
        try Durable.remove(site.state + "/examples")
        try drop(site, "colours") { folder in
            let image = PNGFile.bytes(width: 12, height: 9) { _, _ in (200, 20, 20) }
            try image.write(to: URL(filePath: folder + "/validation/0.png"))
        }
        try site.settle()
        let second = try #require(try site.release()?.record.tasks.first)
        #expect(site.current == "versions/2" && second.digest != first.digest)
    }

    @Test(arguments: [
        ("validation/3.png", "GIF89a\u{1}", "invalid-examples", "validation/3.png is a GIF image"),
        ("validation/3.png", "version https://git-lfs.github.com/spec/v1\n", "invalid-examples", "Git LFS pointer"),
        ("validation/3.webp", "RIFF", "unsupported-image", "`validation/3.webp` would not be read; convert it"),
        ("validation/3.py", "x", "code", "`validation/3.py` is code"),
        (
            "validation.csv", "file,label\n../../base/config.json,red\n", "invalid-examples",
            "validation.csv:2: invalid file"
        ),
        ("validation.csv", "file,label\nmissing.png,red\n", "invalid-examples", "there is no image \"missing.png\""),
        (
            "validation/metadata.csv", "file_name,label\n1.png,red\n", "ambiguous-examples",
            "validation/metadata.csv are there"
        ),
        ("validation.csv", "text,label\na,red\n", "invalid-examples", "has no image column"),
    ])
    func faultsAreRefusedAlikeEverywhere(file: String, content: String, code: String, message: String) throws {
        let site = try site()
        try site.start()
        try drop(site, "colours") { try Data(content.utf8).write(to: URL(filePath: "\($0)/\(file)")) }
        try site.settle(status: 3)
        let refusal = try #require(try site.ledger(.refused).last)
        #expect(refusal.details["code"] == .string(code) && refusal.message.contains(message), "\(refusal.message)")
        let workshop = try ImageWorkshop.shared()
        let run = try Execution.run(
            Programs.merge, ["inspect", site.path("colours"), "--base", workshop.base, "--json"])
        let verdict = try #require(try run.object()["verdict"] as? [String: Any])
        #expect(run.status == 1 && verdict["code"] as? String == code, "\(run.output)")
        #expect((verdict["message"] as? String)?.contains(message) == true, "\(run.output)")
    }

    @Test func imagesWithoutATableAreRefusedWithTheRemedy() throws {
        let site = try site()
        try site.start()
        try drop(site, "colours") { try Durable.remove($0 + "/validation.csv") }
        try site.settle(status: 3)
        let refusal = try #require(try site.ledger(.refused).last)
        #expect(refusal.message.contains("no table of their labels; add validation.csv"), "\(refusal.message)")
    }

    @Test func linksThatLeaveTheRegistryAreRefused() throws {
        let site = try site()
        try site.start()
        try drop(site, "colours") { folder in
            try Durable.remove(folder + "/validation/5.png")
            let target = try ImageWorkshop.shared().task("colours") + "/validation/5.png"
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/validation/5.png", withDestinationPath: target)
        }
        try site.settle(status: 3)
        let refusal = try #require(try site.ledger(.refused).last)
        #expect(refusal.details["code"] == "link-leaves-registry")
        #expect(refusal.message.contains("`validation/5.png` is a link that leaves"), "\(refusal.message)")
    }

    @Test func inspectNamesFileSizeAndClass() throws {
        let workshop = try ImageWorkshop.shared()
        let run = try Execution.run(
            Programs.merge, ["inspect", workshop.task("colours"), "--base", workshop.base])
        let examples = run.output.split(separator: "\n").filter { $0.hasPrefix("  example: validation/") }
        #expect(examples.count == 3, "\(run.output)")
        #expect(examples.first?.hasPrefix("  example: validation/0.png, ") == true && examples[0].hasSuffix("→ red"))
        #expect(run.output.hasSuffix(": 64 examples\n"))
    }

    @Test func submitTakesTheImagesAlong() throws {
        let site = try site()
        try site.start()
        let workshop = try ImageWorkshop.shared()
        let run = try site.control("submit", workshop.task("shades"), "--wait")
        #expect(run.status == 0, "\(run.output) \(run.errors)")
        #expect(site.current == "versions/1")
        #expect(try Durable.list(site.path("shades") + "/validation").count == 65)
    }
}
