import Files

extension LedgerEntry {
    /// The entry as its line, without the line break: one JSON object with sorted keys; what is nil is left out.
    var line: [UInt8] {
        var members: [String: JSONValue] = [
            "sequence": .integer(sequence), "time": .string(time), "event": .string(event.rawValue),
            "message": .string(message), "details": .object(details), "previous": .string(previous),
        ]
        if let task { members["task"] = .string(task) }
        if let version { members["version"] = .integer(version) }
        if let merge { members["merge"] = .string(merge) }
        var bytes: [UInt8] = []
        JSONValue.object(members).write(into: &bytes)
        return bytes
    }

    /// Reads the members of a line; nil where its event is of another version of the program: it counts in the chain,
    /// and nobody here can act on it. Throws the reason for which it is not an entry.
    init?(members: [String: JSONValue]) throws(JSONCursor.Fault) {
        guard let sequence = members["sequence"]?.integer, let previous = members["previous"]?.text,
            let time = members["time"]?.text, let message = members["message"]?.text, let name = members["event"]?.text
        else { throw JSONCursor.Fault(reason: "a field of the entry is missing") }
        guard let kind = LedgerEvent.Kind(rawValue: name) else { return nil }
        var details: [String: JSONValue] = [:]
        if case .object(let values) = members["details"] { details = values }
        self.init(
            LedgerEvent(
                kind, task: members["task"]?.text, version: members["version"]?.integer, merge: members["merge"]?.text,
                message: message, details: details),
            sequence: sequence, time: time, previous: previous)
    }

    /// The members of the line's object.
    static func members(of line: ArraySlice<UInt8>) throws(JSONCursor.Fault) -> [String: JSONValue] {
        try JSONValue.members(parsing: line, .strict)
    }
}
