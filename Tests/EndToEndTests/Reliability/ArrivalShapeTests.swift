import Files
import Foundation
import Glibc
import Ledger
import Reliability
import Testing

/// The ways in which files come into a registry. Nothing asks the daemon to look.
@Suite struct ArrivalShapeTests {
    /// What the registry holds, a checkpoint's digest by task, and every checkpoint that was ever whole there.
    private struct Story {
        var content: [String: String] = [:] { didSet { written.formUnion(content.values) } }
        var written: Set<String> = []
    }

    private func tally(_ name: String, _ what: String) -> OutcomeCounter {
        OutcomeCounter("watching-\(name)", what, forbidden: ["did not converge", "a torn checkpoint released"])
    }

    private func check(_ site: Site, _ story: Story, _ tally: OutcomeCounter, _ note: String) throws {
        let isGood = try site.converges(to: story.content)
        let end = isGood ? "" : try site.ledger().suffix(4).map(\.message).joined(separator: " | ")
        let found = try site.deployedContent()
        #expect(isGood, "\(note): \(found), not \(story.content): \(end)")
        tally.note(isGood ? "converged" : "did not converge")
        for version in try site.versions() where !story.written.isSuperset(of: try site.content(of: version)) {
            tally.note("a torn checkpoint released")
        }
    }

    @Test func filesInFoldersThatWereJustMade() throws {
        let tally = tally("new-folders", "folders whose files come while the folder is not watched yet")
        let site = try Site.quick()
        try site.start()
        var story = Story()
        for number in 0..<TestBudget.count("RELIABILITY_FOLDERS", quick: 12, full: 200) {
            let task = "t\(number)"
            let bytes = try NoisyTask.bytes(seed: UInt64(number))
            mkdir(site.path(task), 0o750)
            let half = bytes.count / 2
            let file = fopen(site.path(task, "model.safetensors"), "w")
            fwrite(Array(bytes[..<half]), 1, half, file)
            fflush(file)
            fwrite(Array(bytes[half...]), 1, bytes.count - half, file)
            fclose(file)
            story.content[task] = Digest.sha256(bytes)
            if number % 4 == 3 { try check(site, story, tally, task) }
        }
        #expect(tally.isGood)
        try tally.write()
    }

    @Test func renamesInAndOut() throws {
        let tally = tally(
            "renames", "tasks renamed in, out, over each other and to each other's names, then left alone")
        var random = Randomness(seed: UInt64(TestBudget.count("RELIABILITY_SEED", quick: 1, full: 1)))
        let site = try Site.quick()
        let names = ["amber", "birch", "cedar", "dune"]
        var story = Story()
        story.content["stay"] = try site.dropNoisy("stay", seed: 100)
        for (number, name) in names.enumerated() {
            story.content[name] = try site.dropNoisy(name, seed: UInt64(number))
        }
        try site.start()
        try check(site, story, tally, "start")
        for round in 0..<TestBudget.count("RELIABILITY_RENAMES", quick: 4, full: 100) {
            for _ in 0..<Int.random(in: 1...9, using: &random) {
                let (one, other) = (names.randomElement(using: &random)!, names.randomElement(using: &random)!)
                let outside = "\(site.folder.path)/outside-\(one)"
                switch (story.content[one], story.content[other]) {
                case (let digest?, nil):
                    try Durable.rename(site.path(one), to: site.path(other))
                    (story.content[one], story.content[other]) = (nil, digest)
                case (let first?, let second?) where one != other:
                    try Durable.remove(outside)
                    try Durable.rename(site.path(one), to: outside)
                    try Durable.rename(site.path(other), to: site.path(one))
                    try Durable.rename(outside, to: site.path(other))
                    (story.content[one], story.content[other]) = (second, first)
                case (_?, _?):
                    try Durable.remove(outside)
                    try Durable.rename(site.path(one), to: outside)
                    story.content[one] = nil
                default: story.content[one] = try site.dropNoisy(one, seed: UInt64(1000 + round))
                }
            }
            try check(site, story, tally, "round \(round)")
        }
        #expect(tally.isGood)
        try tally.write()
    }

    /// Every release holds checkpoints as they were written, never half of one and half of another.
    @Test func rewrittenInPlaceWhileAMergeReads() throws {
        let tally = tally("rewrites", "a checkpoint rewritten in place, the same length, while a merge reads it")
        let site = try Site.quick(settle: "1s")
        var story = Story()
        for (number, name) in ["amber", "birch"].enumerated() {
            story.content[name] = try site.dropNoisy(name, seed: UInt64(number))
        }
        try site.start()
        for round in 0..<TestBudget.count("RELIABILITY_REWRITES", quick: 3, full: 50) {
            let started = try site.ledger(.mergeStarted).count
            if round > 0 { story.content["birch"] = try site.dropNoisy("birch", seed: UInt64(500 + round)) }
            try site.ledgerWatch().wait(for: "a merge") { try site.ledger(.mergeStarted).count > started }
            let bytes = try NoisyTask.bytes(seed: UInt64(100 + round))
            let file = try FileHandle(forUpdating: URL(filePath: site.path("amber", "model.safetensors")))
            for start in stride(from: 0, to: bytes.count, by: 4096) {
                try file.write(contentsOf: bytes[start..<min(start + 4096, bytes.count)])
            }
            try file.close()
            story.content["amber"] = Digest.sha256(bytes)
            try check(site, story, tally, "round \(round)")
        }
        let last = try #require(try site.versions().last)
        let again = try site.control("reproduce", "\(last)")
        #expect(again.status == 0, "\(again.output) \(again.errors)")
        #expect(tally.isGood)
        try tally.write()
    }

    enum Upload: String, CaseIterable, Sendable {
        case preallocated, sparse, backwards, headerLast = "header last", headerFirst = "header first"
    }

    /// Files that have their whole length from the start.
    @Test func uploadsIntoFilesOfTheWholeLength() throws {
        let ways = Upload.allCases.map(\.rawValue).joined(separator: ", ")
        let tally = tally("uploads", "uploads into a file that has its whole length from the start: \(ways)")
        let site = try Site.quick()
        var story = Story()
        story.content["stay"] = try site.dropNoisy("stay", seed: 100)
        try site.start()
        try check(site, story, tally, "start")
        for (number, upload) in Upload.allCases.enumerated() {
            let task = "t\(number)"
            let bytes = try NoisyTask.bytes(seed: UInt64(number))
            try Durable.createDirectories(site.path(task))
            let path = site.path(task, "model.safetensors")
            let file = open(path, O_RDWR | O_CREAT | O_EXCL, 0o640)
            defer { close(file) }
            #expect(
                (upload == .preallocated
                    ? posix_fallocate(file, 0, off_t(bytes.count)) : ftruncate(file, off_t(bytes.count))) == 0)
            // Where the header has come whole.
            let pages = (8 + Int(bytes[0]) + Int(bytes[1]) << 8 + 4095) / 4096 * 4096
            var places = Array(stride(from: 0, to: bytes.count, by: 4096))
            if upload == .backwards || upload == .headerLast { places.reverse() }
            for place in places {
                // Still for so long that it counts as complete: broken without its header, and far from the base
                // without its data.
                if upload == .headerLast && place == 0 || upload == .headerFirst && place == pages {
                    fsync(file)
                    try site.ledgerWatch().wait(for: "a refusal") {
                        try site.ledger(.refused).contains { $0.task == task }
                    }
                }
                let part = Array(bytes[place..<min(place + 4096, bytes.count)])
                #expect(pwrite(file, part, part.count, off_t(place)) == part.count)
            }
            // What says "complete" to the watcher is the end of writing.
            let again = open(path, O_WRONLY)
            close(again)
            story.content[task] = Digest.sha256(bytes)
            try check(site, story, tally, upload.rawValue)
        }
        #expect(tally.isGood)
        try tally.write()
    }
}
