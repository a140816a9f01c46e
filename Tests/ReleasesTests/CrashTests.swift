import Files
import Foundation
import Glibc
import Reliability
import Testing
import WorkerProtocol

@testable import Releases

/// Cuts publish, promote, reject, rollback, retire and repair at each of their changes to the file system.
@Suite struct CrashTests {
    private func tally(_ name: String, _ what: String) -> OutcomeCounter {
        OutcomeCounter("crash-\(name)", what, forbidden: ["neither", "a number twice"])
    }

    @Test(arguments: StoreOperation.allCases)
    func powerCutAtEveryStep(operation: StoreOperation) throws {
        let tally = tally("\(operation)", "\(operation): stopped before each of its calls that change a file")
        var step = 0
        var outcomes: Set<String> = []
        let (deployment, run) = try operation.prepare()
        let store = deployment.store
        try deployment.save()
        while true {
            step += 1
            try deployment.restore()
            let fuse = Fuse(.crash(at: step))
            let error = fuse.run(run)
            let note = Comment(rawValue: "\(operation) cut at step \(step): \(fuse.seen.last.map { "\($0)" } ?? "")")
            try operation.checkReaders(store, note)
            let seen = try Durable.list(store.versions).compactMap { ReleaseStore.number($0) }.max() ?? 0
            try operation.checkRecovered(store, note)
            let outcome = try operation.outcome(store)
            outcomes.insert(outcome)
            let next = try deployment.publish("after", value: 5)
            #expect(next.version > seen, note)
            #expect(try store.current() == next, note)
            tally.note(next.version > seen ? outcome : "a number twice")
            if error == nil && fuse.seen.count < step { break }
            #expect(step < 500, note)
            if step >= 500 { break }
        }
        #expect(step > operation.fewestSteps)
        #expect(outcomes == operation.outcomes)
        #expect(tally.isGood)
        try tally.write()
    }

    /// A daemon that is killed again while it puts right what its forerunner left.
    @Test(arguments: StoreOperation.allCases)
    func repairCutAtEveryStep(operation: StoreOperation) throws {
        let tally = tally(
            "repair-after-\(operation)",
            "\(operation) stopped before each call, then the repair of the next start before each of its own")
        let (deployment, run) = try operation.prepare()
        let store = deployment.store
        try deployment.save()
        let whole = Fuse(.once(at: .max))
        #expect(whole.run(run) == nil)
        for step in TestBudget.some(Array(1...whole.seen.count), most: 8, seed: 3) {
            try deployment.restore()
            _ = Fuse(.crash(at: step)).run(run)
            let before = try store.current()?.version
            try deployment.save("cut")
            var isCut = true
            var repair = 0
            while isCut {
                repair += 1
                try deployment.restore("cut")
                isCut = Fuse(.crash(at: repair)).run { _ = try store.recover() } != nil
                let note = Comment(rawValue: "\(operation) cut at step \(step), repair at step \(repair)")
                #expect(try operation.checkReaders(store, note) == before, note)
                try operation.checkRecovered(store, note)
                tally.note(try operation.outcome(store))
                #expect(repair < 500, note)
                if repair >= 500 { break }
            }
        }
        #expect(tally.isGood)
        try tally.write()
    }

    /// A reader may have resolved `current` already: what was live stays, whatever fails afterwards.
    @Test(arguments: [StoreOperation.firstPublish, .publish, .rollback, .promote])
    func onceSwitchedAReleaseIsNeverTakenBack(operation: StoreOperation) throws {
        let (deployment, run) = try operation.prepare()
        let store = deployment.store
        try deployment.save()
        let whole = Fuse(.once(at: .max))
        #expect(whole.run(run) == nil)
        let switched = try #require(whole.seen.lastIndex { $0.kind == .rename && $0.path == store.link }) + 1
        #expect(switched < whole.seen.count)
        for step in switched + 1...whole.seen.count {
            try deployment.restore()
            let version = operation.version
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
}
