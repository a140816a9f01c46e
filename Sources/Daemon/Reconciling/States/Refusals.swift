/// What admission, a worker or the gate refused and nothing has put right since.
struct Refusals: Hashable, Sendable {
    /// What is refused where no single task is to blame.
    private static let wholeMerge = "the merge"

    private var names: [String] = []
    /// Those that somebody who waited has been told of: the next arrival is not answered for by them.
    private var told: Set<String> = []

    /// Names of tasks, the base or the whole merge, sorted; empty where nothing is refused.
    var sorted: [String] { Set(names).sorted() }

    mutating func note(_ name: String) { names.append(name) }

    /// A merge with these new tasks is refused. Several of them are tried alone next, and only then it shows which of
    /// them is.
    mutating func note(mergeOf new: [String]) {
        guard new.count < 2 else { return }
        names.append(new.first ?? Self.wholeMerge)
    }

    /// The folder of that name changed.
    mutating func forget(_ name: String) { names.removeAll { $0 == name } }

    /// A merge with these new tasks is published.
    mutating func forget(mergeOf new: [String]) { names.removeAll { new.contains($0) || $0 == Self.wholeMerge } }

    /// Something changed in the registry: what was told is not told again.
    mutating func forgetTold() {
        names.removeAll { told.contains($0) }
        told = []
    }

    /// Somebody was told of everything that is refused now.
    mutating func tell() { told = Set(names) }

    mutating func forgetAll() { names = [] }
}
