import Ledger
import Releases
import StoreState

/// Says what a disk's stores came to, after the repair of the daemon's start.
struct Judgement {
    let operation: Operation
    let old: StoreState
    let new: StoreState

    static let lost = "acknowledged and lost"
    static let neither = "neither"
    static let forbidden = [lost, neither]

    /// `folder` is repaired; `acknowledged` is how much of the operation was acknowledged before the power went.
    func outcome(_ folder: String, acknowledged: Int) -> (name: String, note: String) {
        do {
            let store = ReleaseStore(deploy: folder + "/deploy")
            // What whoever reads sees, before anybody has put something right.
            let seen = try store.current()?.version
            _ = try store.recover()
            _ = try Ledger(path: folder + "/ledger.jsonl")
            let state = try StoreState(folder)
            let name = operation.isAppending ? entries(state, acknowledged) : whole(state, acknowledged)
            return (state.isSound && state.current == seen ? name : Self.neither, "seen \(seen ?? 0), then \(state)")
        } catch {
            return (Self.neither, "\(error)")
        }
    }

    private func whole(_ state: StoreState, _ acknowledged: Int) -> String {
        let outcome = state.outcome(from: old, to: new)
        return acknowledged > 0 && outcome != "new" && outcome != Self.neither ? Self.lost : outcome
    }

    private func entries(_ state: StoreState, _ acknowledged: Int) -> String {
        let told = old.entries + operation.messages
        let rest = state.current == old.current && state.versions == old.versions && state.kept == old.kept
        let count = state.entries.count - old.entries.count
        guard rest, told.starts(with: state.entries), 0...acknowledged + 1 ~= count else { return Self.neither }
        if count < acknowledged { return Self.lost }
        return count == acknowledged ? "what was acknowledged" : "one entry more"
    }
}
