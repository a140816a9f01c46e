import Files
import Ledger

/// Whether anything may be signed over the ledger, and what the signed checkpoint said.
struct LedgerTrust: Hashable, Sendable {
    /// Why nothing is signed over the ledger; nil where nothing speaks against it.
    var doubt: LedgerIntegrity?
    /// Whether the signed checkpoint was looked at, with a key.
    var isCheckpointChecked = false
    /// Names the key that `LEDGER.sig` is by, where this process signed it or found that it holds.
    var checkpointKey: String?

    /// Whether a signature may be made.
    var allowsSigning: Bool { doubt == nil && isCheckpointChecked }

    /// What stands where the checkpoint could not be looked at: one that did not hold is no better than it was.
    func remaining(hasKey: Bool) -> LedgerIntegrity? {
        guard !isCheckpointChecked, hasKey, case .checkpoint = doubt else { return nil }
        return doubt
    }

    /// Whether to look once more before anything is signed, as something may be other than it was: there was no key, or
    /// none that could be read, the signed checkpoint was put back (`holds`), or the system did not let the ledger be
    /// looked at.
    func needsCheck(hasKey: Bool, holds: () -> Bool) -> Bool {
        switch doubt {
        case .unseen: true
        case .checkpoint: !hasKey || holds()
        case .contents, nil: !isCheckpointChecked && hasKey
        }
    }
}

/// Why nothing is signed over the ledger.
enum LedgerIntegrity: Hashable, Sendable {
    /// It is not what was noted of it.
    case contents(String)
    /// The signed checkpoint that there has to be is missing, can't be read, or does not hold.
    case checkpoint(String)
    /// The system did not let it be looked at, which may pass.
    case unseen(String)

    /// Result of comparing the ledger with what releases recorded of it.
    init(ofLedger error: any Error) {
        switch error {
        case LedgerError.system(_, _, let code):
            let isDamage = FilesError.system(call: "", path: "", errno: code).isDamage
            self = isDamage ? .contents("\(error)") : .unseen("\(error)")
        case is LedgerError: self = .contents("\(error)")
        default: self = .unseen("\(error)")
        }
    }

    /// Result of comparing the ledger with its signed checkpoint.
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
            "the ledger's signed checkpoint is missing or does not hold, and none is signed anew: \(reason); put it "
                + "back from a copy, or, where the key was exchanged or the deploy directory was emptied on purpose, "
                + "say 'supermergectl accept-ledger'"
        case .unseen:
            "the ledger can't be held against what was noted of it, and no checkpoint is signed: \(reason); it is "
                + "looked at again at each look at the registry"
        }
    }
}
