import Files
import Ledger

/// Why nothing is signed over the ledger.
enum LedgerIntegrity: Hashable, Sendable {
    /// It is not what was noted of it.
    case contents(String)
    /// The signed checkpoint that there has to be is missing, can't be read, or does not hold.
    case checkpoint(String)
    /// The system did not let it be looked at, which may pass.
    case unseen(String)

    /// What a look at the ledger, and at what releases noted of it, ended with.
    init(ofLedger error: any Error) {
        switch error {
        case LedgerError.system(_, _, let code):
            let isDamage = FilesError.system(call: "", path: "", errno: code).isDamage
            self = isDamage ? .contents("\(error)") : .unseen("\(error)")
        case is LedgerError: self = .contents("\(error)")
        default: self = .unseen("\(error)")
        }
    }

    /// What a look at the signed checkpoint ended with.
    init(ofCheckpoint error: any Error) {
        if let error = error as? FilesError, !error.isDamage {
            self = .unseen("\(error)")
        } else {
            self = .checkpoint("\(error)")
        }
    }

    /// What is wrong.
    var reason: String {
        switch self {
        case .contents(let reason), .checkpoint(let reason), .unseen(let reason): reason
        }
    }

    /// What is wrong and what to do.
    var message: String {
        switch self {
        case .contents: "the ledger is not what was noted of it, and no checkpoint is signed: \(reason)"
        case .checkpoint:
            "the ledger's signed checkpoint is missing or does not hold, and none is signed anew: \(reason); put it back from a copy, or, "
                + "where the key was exchanged or the deploy directory was emptied on purpose, say 'supermergectl accept-ledger'"
        case .unseen:
            "the ledger can't be held against what was noted of it, and no checkpoint is signed: \(reason); it is looked at again at "
                + "each look at the registry"
        }
    }
}
