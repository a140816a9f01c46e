/// The order in which releases were deployed, from the ledger. A start uses it to choose a release to fall back to.
package struct ReleaseHistory: Hashable, Sendable {
    package struct Step: Hashable, Sendable {
        package var version: Int
        /// The release that was rolled back to; nil if this was no rollback, or if the source is unknown.
        package var source: Int?
        /// Whether `source` is complete, so that the release's record need not be read.
        package var isSourceKnown: Bool

        package init(version: Int, source: Int? = nil, isSourceKnown: Bool = false) {
            (self.version, self.source, self.isSourceKnown) = (version, source, isSourceKnown || source != nil)
        }
    }

    package var steps: [Step]
    /// Releases that were candidates and never deployed: no start falls back to them.
    package var undeployed: Set<Int>

    package init(_ steps: [Step] = [], undeployed: Set<Int> = []) {
        (self.steps, self.undeployed) = (steps, undeployed)
    }

    /// Sorts `standing` in fallback order: the last deployed release (for a rollback, its source), then earlier ones. A
    /// release that an operator rolled back from comes last.
    func order(of standing: Set<Int>) -> [Int] {
        var ordered: [Int] = []
        var rejected: Set<Int> = []
        var place = steps.count - 1
        while place >= 0 {
            let step = steps[place]
            place -= 1
            ordered.append(step.version)
            guard let source = step.source else { continue }
            ordered.append(source)
            while place >= 0, steps[place].version > source {
                rejected.insert(steps[place].version)
                place -= 1
            }
        }
        var seen: Set<Int> = []
        ordered = ordered.filter { standing.contains($0) && seen.insert($0).inserted }
        let others = standing.subtracting(ordered).sorted(by: >)
        return ordered + others.filter { !rejected.contains($0) } + others.filter { rejected.contains($0) }
    }
}
