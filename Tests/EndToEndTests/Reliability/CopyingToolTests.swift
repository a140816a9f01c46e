import Files
import Foundation
import Glibc
import Ledger
import Reliability
import Testing

/// What copying programs really do in a registry. Nothing asks the daemon to look.
@Suite struct CopyingToolTests {
    private func check(_ site: Site, _ content: [String: String], _ tally: OutcomeCounter, _ note: String) throws {
        let isGood = try site.converges(to: content)
        let story = isGood ? "" : try site.ledger().suffix(4).map(\.message).joined(separator: " | ")
        let found = try site.deployedContent()
        #expect(isGood, "\(note): \(found), not \(content): \(story)")
        tally.note(isGood ? "converged" : "did not converge")
    }

    /// The programs themselves, as far as they are installed: over nothing, and over what stands there.
    @Test func programs() throws {
        let tally = OutcomeCounter(
            "watching-programs", "a task copied in by cp, mv from another file system, tar and, where installed, rsync",
            forbidden: ["did not converge"])
        let site = try Site.quick()
        var content: [String: String] = [:]
        try site.start()
        let source = "/dev/shm/sm-e2e-source-\(UUID().uuidString.prefix(8))"
        defer { try? Durable.remove(source) }
        let scripts = [
            "cp": #"cp -r "$1/." "$2""#, "cp-archive": #"cp -a --sparse=always "$1/." "$2""#,
            "mv": #"mkdir -p "$2" && mv -f "$1"/* "$2""#, "tar": #"mkdir -p "$2" && tar -C "$1" -c . | tar -C "$2" -x"#,
            "rsync": #"command -v rsync >/dev/null || exit 77; rsync -a "$1/" "$2""#,
            "rsync-in-place": #"command -v rsync >/dev/null || exit 77; rsync -a --inplace --no-whole-file "$1/" "$2""#,
            "rsync-partial": #"command -v rsync >/dev/null || exit 77; rsync -a --partial --delay-updates "$1/" "$2""#,
        ]
        for (number, script) in scripts.sorted(by: { $0.key < $1.key }).enumerated() {
            for round in 0..<2 {
                let bytes = try NoisyTask.bytes(seed: UInt64(10 * number + round))
                try Durable.remove(source)
                try Durable.createDirectories(source)
                try Data(bytes).write(to: URL(filePath: source + "/model.safetensors"))
                // rsync takes files of the same length and second for the same.
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSinceNow: Double(60 * round) - 3600)],
                    ofItemAtPath: source + "/model.safetensors")
                try Data("weight: 1\n".utf8).write(to: URL(filePath: source + "/task.yaml"))
                let run = try Execution.run(
                    "/bin/sh", ["-c", script.value, script.key, source, site.path(script.key)])
                if run.status == 77 {
                    print("skipped: \(script.key), which is not installed")
                    break
                }
                #expect(run.status == 0, "\(script.key): \(run.errors)")
                content[script.key] = Digest.sha256(bytes)
                try check(site, content, tally, "\(script.key), time \(round + 1)")
            }
        }
        #expect(tally.isGood)
        try tally.write()
    }

    /// rsync's way: `.NAME.XXXXXX` beside the target, written in pieces, then renamed over it, with the source's old
    /// times.
    @Test func rsyncShaped() throws {
        let tally = OutcomeCounter(
            "watching-rsync", "rsync's way: a hidden temporary in the folder, old times, renamed over",
            forbidden: ["did not converge"])
        let site = try Site.quick()
        try site.start()
        var content: [String: String] = [:]
        for round in 0..<3 {
            let bytes = try NoisyTask.bytes(seed: UInt64(round))
            let target = site.path("amber", "model.safetensors")
            try Durable.createDirectories(site.path("amber"))
            let temporary = site.path("amber", ".model.safetensors.k3Jx0\(round)")
            try Self.write(bytes, to: temporary)
            var times = [timeval(tv_sec: 1_600_000_000, tv_usec: 0), timeval(tv_sec: 1_600_000_000, tv_usec: 0)]
            utimes(temporary, &times)
            try Durable.rename(temporary, to: target)
            content["amber"] = Digest.sha256(bytes)
            try check(site, content, tally, "round \(round)")
        }
        #expect(tally.isGood)
        try tally.write()
    }

    /// `hf download --local-dir`: `.incomplete` files, locks and metadata in a hidden folder, then moved beside it.
    @Test func downloadIntoAFolder() throws {
        let tally = OutcomeCounter(
            "watching-hub-folder", "a download of the Hugging Face client into the task's folder",
            forbidden: ["did not converge"])
        let site = try Site.quick()
        try site.start()
        var content: [String: String] = [:]
        for round in 0..<3 {
            let bytes = try NoisyTask.bytes(seed: UInt64(round))
            let cache = site.path("amber", ".cache/huggingface")
            try Durable.createDirectories(cache + "/download")
            try Data("*".utf8).write(to: URL(filePath: cache + "/.gitignore"))
            try Data("Signature".utf8).write(to: URL(filePath: cache + "/CACHEDIR.TAG"))
            let lock = cache + "/download/model.safetensors.lock"
            close(creat(lock, 0o644))
            let incomplete = cache + "/download/k2j=.\(Digest.sha256(bytes)).1a2b3c4d.incomplete"
            try Self.write(bytes, to: incomplete)
            try Durable.rename(incomplete, to: site.path("amber", "model.safetensors"))
            try Data("commit\netag\n1700000000.0\n".utf8)
                .write(to: URL(filePath: cache + "/download/model.safetensors.metadata"))
            unlink(lock)
            content["amber"] = Digest.sha256(bytes)
            try check(site, content, tally, "round \(round)")
        }
        #expect(tally.isGood)
        try tally.write()
    }

    /// The client's cache inside the registry: the task is a link to a snapshot, whose files are links to blobs. The
    /// snapshot fills up after the task points at it.
    @Test func aCacheOfBlobsBehindLinks() throws {
        let tally = OutcomeCounter(
            "watching-hub-cache", "tasks that are links to snapshots of the Hugging Face client's cache, filled later",
            forbidden: ["did not converge"])
        let site = try Site.quick()
        try site.start()
        var content = ["stay": try site.dropNoisy("stay", seed: 100)]
        try check(site, content, tally, "start")
        let repository = site.registry + "/hub/models--acme--amber"
        for round in 0..<3 {
            let bytes = try NoisyTask.bytes(seed: UInt64(round))
            let (etag, commit) = (Digest.sha256(bytes), "c0ffee\(round)")
            let snapshot = "\(repository)/snapshots/\(commit)"
            for folder in ["\(repository)/blobs", "\(repository)/refs", snapshot] {
                try Durable.createDirectories(folder)
            }
            try Durable.pointLink(site.path("amber"), at: "../hub/models--acme--amber/snapshots/\(commit)")
            // The daemon has looked at the empty snapshot before its file comes.
            let looked = try site.control("rescan")
            #expect(looked.status == 0)
            try Self.write(bytes, to: "\(repository)/blobs/\(etag).5e6f7a8b.incomplete")
            try Durable.rename("\(repository)/blobs/\(etag).5e6f7a8b.incomplete", to: "\(repository)/blobs/\(etag)")
            try FileManager.default.createSymbolicLink(
                atPath: snapshot + "/model.safetensors", withDestinationPath: "../../blobs/\(etag)")
            try Data(commit.utf8).write(to: URL(filePath: repository + "/refs/main"))
            content["amber"] = Digest.sha256(bytes)
            try check(site, content, tally, "round \(round)")
        }
        #expect(tally.isGood)
        try tally.write()
    }

    /// A snapshot that a task points at only since a moment, and that is still when its last file comes.
    @Test func aTaskBehindALinkIsWatchedAfterItIsPointedElsewhere() throws {
        let site = try Site.quick()
        try site.start()
        let (one, two) = (site.registry + "/pool/one", site.registry + "/pool/two")
        let first = try NoisyTask.bytes(seed: 1)
        let second = try NoisyTask.bytes(seed: 2)
        for folder in [one, two] { try Durable.createDirectories(folder) }
        try Data(first).write(to: URL(filePath: one + "/model.safetensors"))
        try Durable.pointLink(site.path("amber"), at: "../pool/one")
        #expect(try site.converges(to: ["amber": Digest.sha256(first)]))
        try Data("half".utf8).write(to: URL(filePath: two + "/model.safetensors"))
        try Durable.pointLink(site.path("amber"), at: "../pool/two")
        try site.ledgerWatch().wait(for: "the refusal of half a file") { try !site.ledger(.refused).isEmpty }
        try Data(second).write(to: URL(filePath: two + "/.model.safetensors.new"))
        try Durable.rename(two + "/.model.safetensors.new", to: two + "/model.safetensors")
        #expect(try site.converges(to: ["amber": Digest.sha256(second)]))
    }

    /// In pieces, as from a network.
    private static func write(_ bytes: [UInt8], to path: String) throws {
        let file = try WritableFile(creating: path)
        for start in stride(from: 0, to: bytes.count, by: 8192) {
            try file.append(Array(bytes[start..<min(start + 8192, bytes.count)]))
        }
        try file.finish(sync: false)
    }
}
