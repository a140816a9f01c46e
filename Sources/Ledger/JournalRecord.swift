/// A ledger entry as the journal's fields, so that `journalctl SUPERMERGE_TASK=sst2` answers. The ledger is the audit,
/// the journal its echo.
package struct JournalRecord: Hashable, Sendable {
    /// One `NAME=value` of a journal entry.
    package struct Field: Hashable, Sendable {
        /// Upper-case letters, digits and underscores, at most 64.
        package var name: String
        package var value: String
    }

    package var message: String
    /// Syslog's 0 … 7.
    package var priority: Int
    package var messageID: String
    /// `SUPERMERGE_EVENT`, `_SEQUENCE`, `_VERSION`, `_MERGE_ID`, `_TASK`; an event of several tasks, by the keys of its
    /// detail `tasks`, has one `_TASK` for each, as the journal allows. Then each scalar detail as `SUPERMERGE_<NAME>`
    /// in the order of the names; a detail never replaces one of the former.
    package var fields: [Field]

    package init(_ entry: LedgerEntry) {
        message = entry.message
        priority = entry.event.priority
        messageID = entry.event.messageID
        var values = [
            "SUPERMERGE_EVENT": entry.event.rawValue, "SUPERMERGE_SEQUENCE": String(entry.sequence),
        ]
        values["SUPERMERGE_VERSION"] = entry.version.map { String($0) }
        values["SUPERMERGE_MERGE_ID"] = entry.merge
        let tasks = entry.task.map { [$0] } ?? entry.details["tasks"]?.members.keys.sorted() ?? []
        var fields = values.map { Field(name: $0.key, value: $0.value) }.sorted { $0.name < $1.name }
        fields += tasks.map { Field(name: "SUPERMERGE_TASK", value: $0) }
        let reserved: Set = [
            "SUPERMERGE_EVENT", "SUPERMERGE_SEQUENCE", "SUPERMERGE_TASK", "SUPERMERGE_VERSION", "SUPERMERGE_MERGE_ID",
        ]
        var taken = reserved
        for (name, value) in entry.details.sorted(by: { $0.key < $1.key }) {
            guard let value = value.scalar else { continue }
            let field = Self.fieldName(name)
            if taken.insert(field).inserted { fields.append(Field(name: field, value: value)) }
        }
        self.fields = fields
    }

    /// journald ignores fields whose names have other characters than these.
    private static func fieldName(_ name: String) -> String {
        let letters = name.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 32
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            default: UInt8(ascii: "_")
            }
        }
        return String(("SUPERMERGE_" + String(decoding: letters, as: UTF8.self)).prefix(64))
    }
}
