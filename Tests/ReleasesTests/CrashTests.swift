import Files
import Foundation
import Glibc
import Testing
import WorkerProtocol

@testable import Releases

/// Cuts publish, rollback and retire at each of their changes to the file system.
@Suite struct CrashTests {
    enum Operation: String, CaseIterable, Sendable { case firstPublish, publish, rollback, retire }

    /// A deploy directory before the operation: its releases, and the numbers that may stand afterwards.
    private func prepare(_ operation: Operation) throws -> (Deployment, run: () throws -> Void) {
        let deployment = try Deployment()
        let store = deployment.store
        _ = try store.recover()
        if operation != .firstPublish {
            for value: UInt8 in 1...3 { try deployment.publish("m\(value)", value: value) }
        }
        switch operation {
        case .firstPublish, .publish:
            let (staging, record) = try deployment.stage("next", value: 9)
            return (
                deployment,
                { _ = try store.publish(staging: staging, baseDirectory: deployment.base, record: record) }
            )
        case .rollback:
            return (deployment, { _ = try store.rollback(to: 1, created: "2026-01-09T00:00:00Z") })
        case .retire:
            let now = try #require(ReleaseStore.date("2027-01-01T00:00:00Z"))
            return (deployment, { _ = try store.retire(keep: 1, grace: .seconds(60), now: now) })
        }
    }

    /// What a reader may see at any moment: a whole release, old or new, behind `current`.
    private func checkReaders(_ store: ReleaseStore, _ operation: Operation, _ note: Comment) throws -> Int? {
        let current = try store.current()
        if operation == .firstPublish {
            #expect(current == nil || current?.version == 1, note)
        } else {
            #expect(current?.version == 3 || (operation != .retire && current?.version == 4), note)
        }
        if let current {
            let weights: [Operation: UInt8] = [.firstPublish: 9, .publish: 9, .rollback: 1]
            #expect(try current.weight() == (current.version == 3 ? 3 : weights[operation]), note)
            #expect(current.record.rollbackOf == (current.version == 4 && operation == .rollback ? 1 : nil), note)
        }
        for release in try store.releases() { #expect(try store.verify(release.version) == [], note) }
        let names = try Durable.list(store.versions).compactMap { ReleaseStore.number($0) }
        #expect(try store.releases().map(\.version) == names.sorted(), note)
        return current?.version
    }

    private func checkRecovered(_ store: ReleaseStore, _ operation: Operation, _ note: Comment) throws {
        let before = try store.current()
        #expect(try store.recover() == before, note)
        _ = try checkReaders(store, operation, note)
        #expect(try store.readPointer()?.version == store.current()?.version, note)
        #expect(try store.readPointer()?.digest == store.current()?.digest, note)
        #expect(try Durable.list(store.stagings) == [], note)
        #expect(try store.numbers().pending == false, note)
        for release in try store.releases() {
            #expect(try FileStatus(path: release.directory).mode & 0o222 == 0, note)
            #expect(release.version <= before?.version ?? 0, note)
        }
    }

    @Test(arguments: Operation.allCases)
    func powerCutAtEveryStep(operation: Operation) throws {
        var step = 0
        var outcomes: Set<Int?> = []
        let (deployment, run) = try prepare(operation)
        let store = deployment.store
        try deployment.save()
        while true {
            step += 1
            try deployment.restore()
            let fuse = Fuse(.crash(at: step))
            let error = fuse.run(run)
            let note = Comment(rawValue: "\(operation) cut at step \(step): \(fuse.seen.last.map { "\($0)" } ?? "")")
            outcomes.insert(try checkReaders(store, operation, note))
            let seen = try Durable.list(store.versions).compactMap { ReleaseStore.number($0) }.max() ?? 0
            try checkRecovered(store, operation, note)
            let next = try deployment.publish("after", value: 5)
            #expect(next.version > seen, note)
            #expect(try store.current() == next, note)
            if error == nil && fuse.seen.count < step { break }
            #expect(step < 500, note)
            if step >= 500 { break }
        }
        #expect(step > 10)
        let expected: Set<Int?> =
            switch operation {
            case .firstPublish: [nil, 1]
            case .publish, .rollback: [3, 4]
            case .retire: [3]
            }
        #expect(outcomes == expected)
    }

    /// A reader may have resolved `current` already: what was live stays, whatever fails afterwards.
    @Test(arguments: [Operation.firstPublish, .publish, .rollback])
    func onceSwitchedAReleaseIsNeverTakenBack(operation: Operation) throws {
        let (deployment, run) = try prepare(operation)
        let store = deployment.store
        try deployment.save()
        let whole = Fuse(.once(at: .max))
        #expect(whole.run(run) == nil)
        let switched = try #require(whole.seen.lastIndex { $0.kind == .rename && $0.path == store.link }) + 1
        #expect(switched < whole.seen.count)
        for step in switched + 1...whole.seen.count {
            try deployment.restore()
            let version = operation == .firstPublish ? 1 : 4
            let fuse = Fuse(.once(at: step))
            let error = fuse.run(run)
            let note = Comment(rawValue: "\(operation) failed at step \(step): \(fuse.seen[step - 1])")
            #expect(error == nil, note)
            #expect(try store.current()?.version == version, note)
            #expect(try store.verify(version) == [], note)
            #expect(!fuse.seen[switched...].contains { $0.kind == .remove && $0.path.contains("versions") }, note)
            #expect(try store.recover()?.version == version, note)
            #expect(store.readPointer()?.version == version, note)
        }
    }

    @Test(arguments: Operation.allCases)
    func oneFailureAtEveryStep(operation: Operation) throws {
        var step = 0
        let (deployment, run) = try prepare(operation)
        let store = deployment.store
        try deployment.save()
        while true {
            step += 1
            try deployment.restore()
            let before = try store.current()
            let pointer = store.readPointer()
            let fuse = Fuse(.once(at: step))
            let error = fuse.run(run)
            if fuse.seen.count < step { break }
            let note = Comment(rawValue: "\(operation) failed at step \(step): \(fuse.seen[step - 1])")
            if let error {
                #expect(try store.current() == before, note)
                #expect(store.readPointer() == pointer, note)
                #expect([EIO, ENOSPC].contains((error as? FilesError)?.errno), note)
                #expect("\(error)".contains("; "), note)
                if operation != .retire {
                    #expect(try store.releases().count == (before == nil ? 0 : 3), note)
                    #expect(try Durable.list(store.stagings) == [], note)
                }
            }
            let failed = fuse.seen[step - 1]
            if failed.kind == .sync, failed.path.contains(store.stagings + "/") {
                #expect(!fuse.seen[step...].contains { $0 == failed || $0.kind == .rename }, note)
            }
            _ = try checkReaders(store, operation, note)
            // Without a restart: the next publish works, under a number of its own.
            let seen = try Durable.list(store.versions).compactMap { ReleaseStore.number($0) }.max() ?? 0
            #expect(try deployment.publish("after", value: 5).version > seen, note)
            #expect(step < 500, note)
            if step >= 500 { break }
        }
        #expect(step > 10)
    }
}
