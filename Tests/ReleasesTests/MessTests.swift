import Files
import Foundation
import Synchronization
import Testing

@testable import Releases

/// What people do to deploy directories by hand.
@Suite struct MessTests {
    let deployment: Deployment
    var store: ReleaseStore { deployment.store }

    init() throws {
        deployment = try Deployment()
        _ = try deployment.store.recover()
        for value: UInt8 in 1...2 { try deployment.publish("m\(value)", value: value) }
    }

    @Test func emptyDirectory() throws {
        let fresh = try Deployment()
        #expect(try fresh.store.current() == nil)
        #expect(try fresh.store.releases() == [])
        #expect(try fresh.store.recover() == nil)
        #expect(try fresh.store.recover() == nil)
    }

    @Test func foreignDirectoriesInVersions() throws {
        for name in ["backup", "007", "-1", "12345678901234567890", "9223372036854775807", "3.tmp", "5"] {
            try Durable.createDirectories("\(store.versions)/\(name)")
        }
        try Durable.replace(store.versions + "/notes", with: [1])
        #expect(try store.recover()?.version == 2)
        #expect(try store.releases().map(\.version) == [1, 2])
        #expect(throws: ReleasesError.self) { try store.release(5) }
        #expect(try deployment.publish("next", value: 3).version == 6)
    }

    @Test func danglingCurrentIsPointedAtTheNewest() throws {
        try Durable.remove(store.directory(of: 2))
        #expect(throws: ReleasesError.self) { try store.current() }
        #expect(try store.recover()?.version == 1)
        #expect(try Durable.linkTarget(store.link) == "versions/1")
        #expect(store.readPointer()?.version == 1)
    }

    @Test func danglingCurrentWithNothingLeft() throws {
        for version in 1...2 { try Durable.remove(store.directory(of: version)) }
        #expect(try store.recover() == nil)
        #expect(try FileStatus.ifPresent(store.link) == nil)
        #expect(try FileStatus.ifPresent(store.pointerFile) == nil)
        #expect(try deployment.publish("next", value: 3).version == 3)
    }

    @Test func currentThatWasRemovedComesBackWhereItWas() throws {
        try Durable.remove(store.link)
        let repair = try store.repair()
        #expect(repair.release?.version == 2 && repair.reason == "`current` was missing")
        #expect(try Durable.linkTarget(store.link) == "versions/2")
        #expect(try store.repair().reason == nil)
        // CURRENT.json is believed, where what it names is whole.
        try store.writePointer(to: store.release(1))
        try Durable.remove(store.link)
        #expect(try store.recover()?.version == 1)
        #expect(store.faultOfCurrent() == nil)
    }

    @Test(arguments: ["gone", "garbage", "another digest", "a release that is gone"])
    func currentThatWasRemovedWithoutAPointerToTrustComesBackAtTheNewest(pointer: String) throws {
        let (directory, digest) = (store.directory(of: 1), try store.release(1).digest)
        switch pointer {
        case "gone": try Durable.remove(store.pointerFile)
        case "garbage": try Durable.replace(store.pointerFile, with: Array("garbage".utf8))
        default:
            let version = pointer == "another digest" ? 1 : 7
            let text = #"{"version":\#(version),"path":"\#(directory)","digest":"\#(version == 7 ? digest : "00")"}"#
            try Durable.replace(store.pointerFile, with: Array(text.utf8))
        }
        try Durable.remove(store.link)
        #expect(try store.recover()?.version == 2)
        #expect(store.faultOfCurrent() == nil)
    }

    @Test func currentThatWasRemovedNeverComesBackAtADamagedRelease() throws {
        try Durable.changeMode(store.directory(of: 2), to: 0o750)
        try Durable.replace(store.directory(of: 2) + "/model.safetensors", with: [1])
        try Durable.remove(store.link)
        #expect(try store.recover()?.version == 1)
        #expect(store.faultOfCurrent() == nil)
    }

    /// Somebody's notes harm nobody who is served; `verify` names them.
    @Test func whatLiesThereBesidesKeepsNoReleaseFromComingBack() throws {
        try Durable.remove(store.directory(of: 1))
        try Durable.changeMode(store.directory(of: 2), to: 0o750)
        try Durable.replace(store.directory(of: 2) + "/notes.txt", with: [1])
        try Durable.remove(store.link)
        #expect(try store.recover()?.version == 2)
        #expect(try store.verify(2) == ["notes.txt"])
    }

    /// Each read of a start fails once: it may fail with it, and never makes the older release live or throws one away.
    @Test(arguments: [EIO, EACCES, ESTALE]) func aDiskThatFailsForAMomentMakesNoOlderReleaseLive(code: Int32) throws {
        var failures = 0
        for step in 1... {
            try Durable.remove(store.link)
            try store.write(ReleaseStore.Numbers(highest: 2, pending: true))
            let reads = Mutex(0)
            var calls = FileCalls()
            calls.read = { [real = FileCalls()] descriptor, buffer, offset in
                let number = reads.withLock { count in
                    count += 1
                    return count
                }
                guard number == step else { return real.read(descriptor, buffer, offset) }
                errno = code
                return -1
            }
            do {
                let release = try FileCalls.$current.withValue(calls) { try store.recover() }
                #expect(release?.version == 2, "step \(step)")
            } catch let error as FilesError {
                #expect(error.errno == code, "step \(step)")
                failures += 1
            }
            #expect(try store.standing().sorted() == [1, 2], "step \(step)")
            if reads.withLock(\.self) < step { break }
        }
        #expect(failures > 3, "the pointer, the record and the files of release 2")
        #expect(try store.recover()?.version == 2)
    }

    /// What the ledger says of release 1 needs no record, and a bad sector in that keeps release 2 from nothing.
    @Test func theRecordOfAnotherReleaseIsNotNeeded() throws {
        try Durable.remove(store.link)
        let record = store.directory(of: 1) + "/release.json"
        var calls = FileCalls()
        calls.read = { [real = FileCalls()] descriptor, buffer, offset in
            let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
            guard path == record else { return real.read(descriptor, buffer, offset) }
            errno = EIO
            return -1
        }
        func repaired(isSourceKnown: Bool) throws -> Int? {
            let history = ReleaseHistory(
                (1...2).map { ReleaseHistory.Step(version: $0, isSourceKnown: isSourceKnown) })
            return try FileCalls.$current.withValue(calls) { try store.repair(history: history).release?.version }
        }
        #expect(throws: FilesError.self) { try repaired(isSourceKnown: false) }
        #expect(try repaired(isSourceKnown: true) == 2)
    }

    /// An operator who wants to begin anew: nothing stands, whatever `CURRENT.json` says.
    @Test func everythingRemovedIsABeginning() throws {
        for version in 1...2 { try Durable.remove(store.directory(of: version)) }
        try Durable.remove(store.link)
        #expect(try store.repair() == ReleaseStore.Repair())
        #expect(try FileStatus.ifPresent(store.pointerFile) == nil)
        #expect(try deployment.publish("next", value: 3).version == 3)
    }

    @Test(arguments: ["", "{}", "garbage", "missing"])
    func damagedRecordUnderCurrentFallsBackToAWholeRelease(text: String) throws {
        let damaged = store.directory(of: 2)
        try Durable.changeMode(damaged, to: 0o750)
        if text == "missing" {
            try Durable.remove(damaged + "/release.json")
        } else {
            try Durable.replace(damaged + "/release.json", with: Array(text.utf8))
        }
        let repair = try store.repair()
        #expect(repair.release?.version == 1)
        #expect(repair.reason?.contains("whose record is damaged (\(damaged)/release.json") == true)
        #expect(try Durable.linkTarget(store.link) == "versions/1")
        #expect(try store.standing().sorted() == [1, 2], "what is damaged stays, as evidence")
        #expect(try deployment.publish("next", value: 3).version == 3)
    }

    /// Of 1, 2, 3 somebody rolled back to 1, as release 4, and that is damaged: 3 is what was not wanted.
    @Test(arguments: [true, false], [true, false])
    func aRollbackThatIsDamagedFallsBackToWhatItWentBackTo(isLost: Bool, isPointedAt: Bool) throws {
        try deployment.publish("m3", value: 3)
        _ = try store.rollback(to: 1, created: "2026-02-01T00:00:00Z")
        let history = ReleaseHistory([
            .init(version: 1), .init(version: 2), .init(version: 3), .init(version: 4, source: 1),
        ])
        func damage(_ version: Int) throws {
            try Durable.changeMode(store.directory(of: version), to: 0o750)
            try Durable.replace(store.directory(of: version) + "/release.json", with: [])
        }
        if isLost { try Durable.remove(store.directory(of: 4)) } else { try damage(4) }
        if !isPointedAt { try Durable.remove(store.link) }
        #expect(try store.repair(history: history).release?.version == 1)
        #expect(store.faultOfCurrent() == nil)
        // Where nothing else is whole, what was rejected is better than nothing.
        try damage(1)
        #expect(try store.repair(history: history).release?.version == 3)
    }

    /// A crash between the rollback and its entry: the record still says what it went back to.
    @Test func aRollbackThatTheLedgerDoesNotKnowIsKnownByItsRecord() throws {
        try deployment.publish("m3", value: 3)
        _ = try store.rollback(to: 1, created: "2026-02-01T00:00:00Z")
        // The files of the release that was rolled back to are the same ones.
        for name in ["README.md", "report.html"] {
            try Durable.changeMode(store.directory(of: 4), to: 0o750)
            try Durable.replace(store.directory(of: 4) + "/\(name)", with: [1])
        }
        try Durable.remove(store.link)
        let history = ReleaseHistory((1...3).map { ReleaseHistory.Step(version: $0) })
        #expect(try store.repair(history: history).release?.version == 1)
    }

    /// `CURRENT.json` is from before the rollback that the ledger has.
    @Test func anOldPointerIsNotBelievedAgainstTheLedger() throws {
        try deployment.publish("m3", value: 3)
        _ = try store.rollback(to: 1, created: "2026-02-01T00:00:00Z")
        try store.writePointer(to: store.release(3))
        try Durable.remove(store.link)
        let history = ReleaseHistory([
            .init(version: 1), .init(version: 2), .init(version: 3), .init(version: 4, source: 1),
        ])
        #expect(try store.repair(history: history).release?.version == 4)
    }

    @Test(arguments: [true, false]) func whereNothingIsWholeItSaysWhatToDo(isCurrentThere: Bool) throws {
        for version in 1...2 {
            try Durable.changeMode(store.directory(of: version), to: 0o750)
            try Durable.replace(store.directory(of: version) + "/release.json", with: [])
        }
        if !isCurrentThere { try Durable.remove(store.link) }
        let error = #expect(throws: ReleasesError.self) { try store.recover() }
        let message = error.map { "\($0)" } ?? ""
        #expect(message.contains("release 2 (release.json), release 1 (release.json); put one back"), "\(message)")
        for version in 1...2 { try Durable.remove(store.directory(of: version)) }
        #expect(try store.recover() == nil)
    }

    /// A crash at the end of a publish, and then `current` is lost: what was live is not thrown away.
    @Test func aReleaseThatWasLiveOutlivesItsLink() throws {
        try store.write(ReleaseStore.Numbers(highest: 2, pending: true))
        try Durable.remove(store.link)
        #expect(try store.recover()?.version == 2)
    }

    @Test(arguments: [
        "../elsewhere", "/etc", "versions", "versions/x", "versions/0", "other/1", "versions/../versions/1",
    ])
    func currentThatPointsElsewhere(target: String) throws {
        try Durable.pointLink(store.link, at: target)
        #expect(throws: ReleasesError.self) { try store.current() }
        #expect(throws: ReleasesError.self) { try store.recover() }
    }

    @Test func currentThatIsADirectory() throws {
        try Durable.remove(store.link)
        try Durable.createDirectories(store.link)
        #expect(throws: ReleasesError.badCurrent(path: store.link, reason: "not a symbolic link")) {
            try store.recover()
        }
    }

    @Test func currentPointedBackByHand() throws {
        try Durable.pointLink(store.link, at: store.directory(of: 1))
        #expect(try store.recover()?.version == 1)
        #expect(store.readPointer()?.version == 1)
        #expect(try store.recover()?.version == 1)
        #expect(try store.releases().map(\.version) == [1, 2])
    }

    @Test(arguments: [
        "", "garbage", "[]", "{\"version\":99999999999999999999}",
        "{\"version\":9223372036854775807,\"path\":\"\",\"digest\":\"\"}",
        "{\"version\":1,\"path\":\"/etc\",\"digest\":\"\"}",
    ])
    func garbageInCurrentJSON(text: String) throws {
        try Durable.replace(store.pointerFile, with: Array(text.utf8))
        #expect(try store.recover()?.version == 2)
        #expect(store.readPointer()?.path == store.directory(of: 2))
        #expect(try deployment.publish("next", value: 3).version == 3)
    }

    @Test(arguments: [
        "", "garbage", "{\"highest\":-5,\"pending\":true}", "{\"highest\":1e300}",
        "{\"highest\":9223372036854775807,\"pending\":false}",
    ])
    func garbageInTheNumbers(text: String) throws {
        try Durable.replace(store.numbersFile, with: Array(text.utf8))
        #expect(try store.recover()?.version == 2)
        #expect(try deployment.publish("next", value: 3).version == 3)
    }

    @Test(arguments: ["", "{}", "garbage"])
    func garbageInARecord(text: String) throws {
        try Durable.changeMode(store.directory(of: 1), to: 0o750)
        try Durable.replace(store.directory(of: 1) + "/release.json", with: Array(text.utf8))
        #expect(throws: ReleasesError.self) { try store.release(1) }
        #expect(try store.releases().map(\.version) == [2])
        #expect(try store.recover()?.version == 2)
    }

    @Test func recordOfAnotherRelease() throws {
        try Durable.changeMode(store.directory(of: 1), to: 0o750)
        let other = try Durable.contents(store.directory(of: 2) + "/release.json")
        try Durable.replace(store.directory(of: 1) + "/release.json", with: other)
        #expect(throws: ReleasesError.self) { try store.rollback(to: 1, created: "x") }
    }

    @Test func stagingLeftovers() throws {
        _ = try deployment.stage("abandoned", value: 9)
        try Durable.replace(store.deploy + "/.current.tmp", with: [1])
        #expect(try store.recover()?.version == 2)
        #expect(try Durable.list(store.stagings) == [])
        #expect(try Durable.list(store.deploy) == [".numbers.json", ".staging", "CURRENT.json", "current", "versions"])
    }

    @Test func relativeDeployDirectory() {
        let store = ReleaseStore(deploy: "some/deploy/")
        #expect(store.deploy == FileManager.default.currentDirectoryPath + "/some/deploy")
    }
}
