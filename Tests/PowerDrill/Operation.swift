/// What is done while the power goes.
enum Operation: String, CaseIterable, Sendable {
    case firstPublish, publish, canary, promote, reject, rollback, retire, recover, keep, append, firstAppend

    /// The steps of `store-drill` before; all that they did is on the disk.
    var preparations: [String] {
        switch self {
        case .firstPublish, .firstAppend: ["found"]
        case .recover: ["prepare", "wreck"]
        case .promote, .reject: ["prepare", "canary"]
        default: ["prepare"]
        }
    }

    /// The words for `store-drill`, of which the folder comes second.
    var step: String {
        switch self {
        case .firstPublish: "start"
        case .firstAppend: "append"
        default: rawValue
        }
    }

    /// Whether it consists of entries that are acknowledged one by one.
    var isAppending: Bool { step == "append" }

    /// Of the entries to append; elsewhere none.
    var messages: [String] { isAppending ? (1...6).map { "entry-\($0)" } : [] }
}
