import Files
import Foundation
import Ledger
import Testing

@Suite struct JournalRecordTests {
    private func twin(_ event: LedgerEvent) -> JournalRecord {
        JournalRecord(LedgerEntry(event, sequence: 7, time: "", previous: ""))
    }

    @Test func fieldsOfARefusal() {
        let twin = twin(
            LedgerEvent(
                .refused, task: "sst2", merge: "m", message: "no",
                details: ["code": "pickle", "task": "forged", "held-out": 3, "list": .array([1]), "Größe": 2.5]))
        #expect(twin.message == "no")
        #expect(twin.priority == 4)
        #expect(twin.messageID == "21d8f995c0a743008450c23a053549f5")
        #expect(
            twin.fields.map { "\($0.name)=\($0.value)" } == [
                "SUPERMERGE_EVENT=refused", "SUPERMERGE_MERGE_ID=m", "SUPERMERGE_SEQUENCE=7", "SUPERMERGE_TASK=sst2",
                "SUPERMERGE_GR____E=2.5", "SUPERMERGE_CODE=pickle", "SUPERMERGE_HELD_OUT=3",
            ])
    }

    @Test func detailsNeverStandInForAMissingTask() {
        let twin = twin(LedgerEvent(.started, message: "", details: ["task": "forged"]))
        #expect(!twin.fields.contains { $0.name == "SUPERMERGE_TASK" })
    }

    @Test func anEventOfSeveralTasksIsFoundByEach() {
        let tasks: JSONValue = .object(["sst2": "digest-1", "mnli": "digest-2"])
        let twin = twin(LedgerEvent(.published, version: 3, message: "", details: ["tasks": tasks]))
        #expect(twin.fields.filter { $0.name == "SUPERMERGE_TASK" }.map(\.value) == ["mnli", "sst2"])
        let one = self.twin(LedgerEvent(.gated, task: "sst2", message: "", details: ["tasks": tasks]))
        #expect(one.fields.filter { $0.name == "SUPERMERGE_TASK" }.map(\.value) == ["sst2"])
    }

    @Test func catalogHasExactlyTheseEvents() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let catalog = try String(contentsOf: root.appending(path: "systemd/supermerged.catalog"), encoding: .utf8)
        let found = catalog.split(separator: "\n").filter { $0.hasPrefix("-- ") }.map { String($0.dropFirst(3)) }
        let ids = LedgerEvent.Kind.allCases.map(\.messageID)
        #expect(found.sorted() == ids.sorted())
        #expect(Set(ids).count == ids.count)
        for id in ids { #expect(id.count == 32 && id.allSatisfy { $0.isHexDigit && !$0.isUppercase }) }
    }
}
