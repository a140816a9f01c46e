/// Why nothing is signed over the ledger.
enum LedgerDoubt: Hashable, Sendable {
    /// It is not what was noted of it, or that can't be found out.
    case contents(String)
    /// The signed checkpoint that there has to be is missing, can't be read, or does not hold.
    case checkpoint(String)

    /// What is wrong.
    var reason: String {
        switch self {
        case .contents(let reason), .checkpoint(let reason): reason
        }
    }

    /// What is wrong and what to do.
    var message: String {
        switch self {
        case .contents: "the ledger is not what was noted of it, and no checkpoint is signed: \(reason)"
        case .checkpoint:
            "the ledger's signed checkpoint is missing or does not hold, and none is signed anew: \(reason); put it back from a copy, or, "
                + "where the key was exchanged, say 'supermergectl accept-ledger'"
        }
    }
}
