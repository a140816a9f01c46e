import Files
import Foundation
import Glibc
import Reliability
import Testing

@testable import Releases

/// Fails each call of publish, rollback and retire once, cuts its writes short, and fills its disk.
@Suite struct StoreFaultTests {
    private static let errors: [(name: String, code: Int32)] = [("EIO", EIO), ("ENOSPC", ENOSPC), ("EINTR", EINTR)]

    @Test(arguments: StoreOperation.allCases, errors.map(\.name))
    func oneFailureAtEveryStep(operation: StoreOperation, name: String) throws {
        let code = try #require(Self.errors.first { $0.name == name }?.code)
        let tally = OutcomeCounter(
            "faults-\(operation)-\(name)", "\(operation): each of its calls that change a file fails once with \(name)",
            forbidden: ["neither", "a number twice"])
        var step = 0
        let (deployment, run) = try operation.prepare()
        let store = deployment.store
        try deployment.save()
        while true {
            step += 1
            try deployment.restore()
            let before = try store.current()
            let pointer = store.readPointer()
            let fuse = Fuse(.once(at: step, errno: code))
            let error = fuse.run(run)
            if fuse.seen.count < step { break }
            let note = Comment(rawValue: "\(operation) failed at step \(step): \(fuse.seen[step - 1])")
            if let error {
                #expect(try store.current() == before, note)
                #expect(store.readPointer() == pointer, note)
                #expect((error as? FilesError)?.errno == code, note)
                if code != EINTR { #expect("\(error)".contains("; "), note) }
                if operation != .retire {
                    #expect(try store.releases().count == operation.standing, note)
                    #expect(try Durable.list(store.stagings) == [], note)
                }
            }
            let failed = fuse.seen[step - 1]
            if failed.kind == .sync, failed.path.contains(store.stagings + "/") {
                #expect(!fuse.seen[step...].contains { $0 == failed || $0.kind == .rename }, note)
            }
            try operation.checkReaders(store, note)
            let outcome = try operation.outcome(store)
            // Without a restart: the next publish works, under a number of its own.
            let seen = try Durable.list(store.versions).compactMap { ReleaseStore.number($0) }.max() ?? 0
            let next = try deployment.publish("after", value: 5).version
            #expect(next > seen, note)
            tally.note(next > seen ? outcome : "a number twice")
            #expect(step < 500, note)
            if step >= 500 { break }
        }
        #expect(step > operation.fewestSteps)
        #expect(tally.isGood)
        try tally.write()
    }

    /// Whatever a write takes at once, and however often it is interrupted, the release is the same; where it is cut
    /// short because the disk is full, the old one stands.
    @Test(arguments: [StoreOperation.publish, .rollback], FaultyCalls.Fault.allCases)
    func writesThatAreCutShort(operation: StoreOperation, fault: FaultyCalls.Fault) throws {
        let tally = OutcomeCounter(
            "faults-\(operation)-\(fault)", "\(operation): \(fault.words), at each call in turn", forbidden: ["neither"]
        )
        let (deployment, run) = try operation.prepare()
        let store = deployment.store
        try deployment.save()
        for step in 1...500 {
            try deployment.restore()
            let calls = FaultyCalls(fault, at: step)
            var failure: (any Error)?
            FileCalls.$current.withValue(calls.calls) {
                do { try run() } catch { failure = error }
            }
            guard calls.count >= step else {
                #expect(failure == nil)
                break
            }
            let note = Comment(rawValue: "\(operation), \(fault) at step \(step)")
            let version = try operation.checkReaders(store, note)
            #expect(version == (failure == nil ? 4 : 3), note)
            #expect(fault.isHarmless ? failure == nil : true, note)
            tally.note(try operation.outcome(store))
            try operation.checkRecovered(store, note)
        }
        #expect(tally.isGood)
        try tally.write()
    }

    /// A file system that is full after so many bytes, for every number of blocks.
    @Test func aSmallFileSystemFillsUpMidPublish() throws {
        let disk = try SmallDisk(bytes: 1 << 20)
        guard let disk else {
            try Skip.note("no small file system can be mounted here (needs the privilege to mount)")
            return
        }
        let tally = OutcomeCounter(
            "faults-small-file-system",
            "publish on a file system with room for 0, 1, 2 … blocks, until it fits; then again with room",
            forbidden: ["neither", "not published with room"])
        let deployment = try Deployment(in: disk.path)
        let store = deployment.store
        _ = try store.recover()
        for value: UInt8 in 1...3 { try deployment.publish("m\(value)", value: value) }
        for blocks in 0..<64 {
            let (staging, record) = try deployment.stage("next", value: 9)
            let before = try #require(try store.current())
            try disk.fill(leaving: blocks)
            var failure: (any Error)?
            do {
                _ = try store.publish(staging: staging, baseDirectory: deployment.base, record: record)
            } catch {
                failure = error
            }
            let note = Comment(rawValue: "\(blocks) blocks free: \(failure.map { "\($0)" } ?? "published")")
            let current = try #require(try store.current(), note)
            if failure != nil {
                #expect(current == before, note)
                #expect((failure as? FilesError)?.errno == ENOSPC, note)
            }
            #expect(try store.verify(current.version) == [], note)
            let isOld = current == before
            let isNew = try current.version > before.version && current.weight() == 9
            tally.note(isOld ? "old" : isNew ? "new" : "neither")
            try disk.empty()
            #expect(try store.recover() == current, note)
            let next = try deployment.publish("after", value: 5)
            if try next.version <= current.version || store.verify(next.version) != [] {
                tally.note("not published with room")
            }
            _ = try store.retire(keep: 2, grace: .zero, now: .distantFuture)
            if isNew { break }
        }
        #expect(tally.count("old") > 3 && tally.count("new") == 1)
        #expect(tally.isGood)
        try tally.write()
    }
}
