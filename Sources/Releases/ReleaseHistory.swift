/// In which order releases became what is deployed, as the ledger has it. A start goes by it where it has to choose one.
package struct ReleaseHistory: Hashable, Sendable {
    package struct Step: Hashable, Sendable {
        package var version: Int
        /// The release that was rolled back to; nil where it was not, or where that is not known.
        package var source: Int?
        /// Whether `source` is all there is to know, so that the release's record need not be asked.
        package var isSourceKnown: Bool

        package init(version: Int, source: Int? = nil, isSourceKnown: Bool = false) {
            (self.version, self.source, self.isSourceKnown) = (version, source, isSourceKnown || source != nil)
        }
    }

    package var steps: [Step]

    package init(_ steps: [Step] = []) { self.steps = steps }

    /// `standing` in the order in which they are to be fallen back to: what was deployed last, where that was a rollback what it went
    /// back to, then what was deployed before. What a rollback went back from was rejected by somebody and comes last.
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
