import Files
import Ledger
import Testing

/// What the daemon and `verify` take from the ledger of the releases.
@Suite struct RecordedReleasesTests {
    private func recorded(_ events: [LedgerEvent]) -> RecordedReleases {
        var recorded = RecordedReleases()
        for event in events { recorded.take(event) }
        return recorded
    }

    private let published = (1...3).map { (number: Int) in
        LedgerEvent(
            .published, version: number, message: "published \(number)", details: ["digest": .string("d\(number)")])
    }

    @Test func theLastWordAndWhatStands() {
        let back = LedgerEvent(
            .rolledBack, version: 4, message: "rolled back", details: ["digest": "d1", "source": 1])
        let recorded = recorded(published + [back, LedgerEvent(.retired, version: 2, message: "deleted")])
        #expect(recorded.deployed == 4 && recorded.word == "rolled back" && recorded.newest == 4)
        #expect(recorded.standing == [1, 3, 4])
        #expect(recorded.digests == [1: "d1", 2: "d2", 3: "d3", 4: "d1"])
        #expect(recorded.deployments.map(\.version) == [1, 2, 3, 4])
        #expect(recorded.deployments.map(\.source) == [nil, nil, nil, 1])
    }

    @Test(arguments: [(LedgerEvent.Kind.promoted, 4), (.rejected, 3)])
    func keepsCandidateUntilItsTrialEnds(end: LedgerEvent.Kind, deployed: Int) {
        let started = LedgerEvent(
            .canaryStarted, version: 4, message: "release 4 is the candidate", details: ["digest": "d4"])
        let trial = recorded(published + [started])
        #expect(trial.candidate == 4 && trial.candidateWord == started.message)
        #expect(trial.deployed == 3 && trial.undeployed == [4])
        let other = LedgerEvent(end, version: 3, message: "about another release")
        #expect(recorded(published + [started, other]).candidate == 4)
        let ended = recorded(published + [started, LedgerEvent(end, version: 4, message: "it has ended")])
        #expect(ended.candidate == nil && ended.candidateWord == "it has ended" && ended.deployed == deployed)
    }

    @Test func whatWasFoundDoesNotOutweighWhatWasPublished() {
        let found = [2, 7].map { LedgerEvent(.recovered, version: $0, message: "found", details: ["digest": "other"]) }
        let recorded = recorded(published + found)
        #expect(recorded.deployed == 7 && recorded.newest == 7)
        #expect(recorded.digests[2] == "d2" && recorded.digests[7] == "other")
        #expect(recorded.standing == [1, 2, 3, 7])
    }

    @Test func whereNothingWasFoundTheNumbersMayBeginAnew() {
        let gone = LedgerEvent(.recovered, message: "current was found at no release")
        let empty = recorded(published + [gone])
        #expect(empty.deployed == nil && empty.newest == nil && empty.word == gone.message)
        #expect(empty.standing == [] && empty.digests == [:] && empty.deployments == [])
        #expect(recorded(published + [gone, published[0]]).newest == 1)
    }

    /// Only a start that finds nothing says that there is nothing.
    @Test(arguments: [LedgerEvent.Kind.published, .rolledBack, .retired])
    func anEntryWithoutItsNumberSaysNothing(kind: LedgerEvent.Kind) {
        #expect(recorded(published + [LedgerEvent(kind, message: "of none")]) == recorded(published))
    }

    @Test func aReplayBringsTheTimesAlong() async throws {
        let directory = try TemporaryDirectory()
        let ledger = try Ledger(path: directory.ledger, calls: LedgerCalls(), now: { 1_772_262_309_120 })
        for event in published { try await ledger.append(event) }
        try await ledger.append(LedgerEvent(.recovered, version: 1, message: "found"))
        let recorded = try RecordedReleases(ledger: directory.ledger)
        let time = "2026-02-28T07:05:09.120Z"
        #expect(recorded.times == [1: time, 2: time, 3: time] && recorded.deployed == 1)
    }
}
