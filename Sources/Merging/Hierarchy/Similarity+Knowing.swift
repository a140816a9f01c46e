internal import WorkerProtocol

extension Similarity {
    /// Tasks for whose likeness alone the files are read: the dot products grow with the square of their number.
    private static let mostMeasured = 32

    /// Pairs that were measured before, among `names`.
    init(_ pairs: [TaskSimilarity], among names: Set<String>) {
        self.init()
        for pair in pairs where names.contains(pair.first) && names.contains(pair.second) {
            self[pair.first, pair.second] = pair.cosine
        }
    }

    mutating func add(_ other: Similarity) {
        for pair in other.pairs { self[pair.first, pair.second] = pair.cosine }
    }

    /// Pairs that a release keeps: a tree of very many tasks measures more.
    private static let mostKept = 2048

    /// At most `mostKept` pairs, those furthest from 0, in order of the names.
    var kept: [TaskSimilarity] {
        guard pairs.count > Self.mostKept else { return pairs }
        let strongest = pairs.sorted {
            (abs($1.cosine), $0.first, $0.second) < (abs($0.cosine), $1.first, $1.second)
        }
        return strongest.prefix(Self.mostKept).sorted { ($0.first, $0.second) < ($1.first, $1.second) }
    }

    /// The fewest places among `names` whose pairs with all others bring those that are missing. Nothing is worth
    /// measuring for a single task, nor for very many.
    func unmeasured(of names: [String]) -> [Int] {
        guard (2...Self.mostMeasured).contains(names.count) else { return [] }
        var chosen: [Int] = []
        while true {
            let rest = names.indices.filter { !chosen.contains($0) }
            let missing = rest.map { place in
                (place, rest.count { $0 != place && !isMeasured(names[place], names[$0]) })
            }
            guard let worst = missing.max(by: { $0.1 < $1.1 }), worst.1 > 0 else { return chosen.sorted() }
            chosen.append(worst.0)
        }
    }
}

extension MergePlan {
    /// What the deployed release has on record of tasks that are the same now, over the same base.
    func knownSimilarities() -> Similarity {
        guard let record = deployed?.record, record.base == base.digest else { return Similarity() }
        let before = record.digests
        let same = tasks.filter { !$0.digest.isEmpty && before[$0.name] == $0.digest }.map(\.name)
        return Similarity(record.similarities, among: Set(same))
    }
}

extension MergeContext {
    /// Measures, in one pass over the files, the pairs that `known` lacks: at an arrival those of the new task, about
    /// the work of one step of the fit. `progress` counts layers.
    func missingSimilarities(_ known: Similarity, progress: (Int) throws -> Void) throws -> Similarity {
        let missing = known.unmeasured(of: tasks.map(\.name))
        guard !missing.isEmpty else { return Similarity() }
        return try Similarity(of: missing, in: vectors, progress: progress)
    }
}

extension Similarity {
    /// The cosine of two task vectors from which on they are taken for one.
    private static let cosineOfDoubles = 0.95

    /// A note for each two of these tasks whose vectors are nearly one.
    func doubles(among names: [String]) -> [String] {
        let alike = pairs.filter { pair in
            pair.cosine >= Self.cosineOfDoubles && names.contains(pair.first) && names.contains(pair.second)
        }
        return alike.map { pair in
            let cosine = (pair.cosine * 1000).rounded(.down) / 1000
            return "\(pair.first) and \(pair.second) are nearly one fine-tune (cosine of their task vectors "
                + "\(cosine)): a training run that was uploaded twice counts twice; withdraw one of them"
        }
    }
}
