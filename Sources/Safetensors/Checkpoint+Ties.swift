internal import Files

extension Checkpoint {
    /// Of groups of names that mean one tensor each: the names under which this checkpoint holds it, where they are
    /// several.
    package func shared(among groups: [[String]]) -> [[String]] {
        let own = Set(names)
        return groups.map { $0.filter(own.contains) }.filter { $0.count > 1 }
    }

    /// Why it can't stand for a model in which each group of names is one tensor; nil where it can.
    ///
    /// Reads what it holds under several names, a piece at a time. Memory: 2 MiB.
    package func untied(among groups: [[String]]) throws(SafetensorsError) -> String? {
        for group in shared(among: groups) {
            for name in group.dropFirst() {
                let isSame = try holdsSame(group[0], as: name, of: self)
                if !isSame { return Self.untied(group[0], name) }
            }
        }
        return nil
    }

    /// What is said of two names of one tensor that hold different values.
    package static func untied(_ first: String, _ second: String) -> String {
        "`\(shown(first))` and `\(shown(second))` hold different values, but the base ties them, so that one of the "
            + "two would be lost; tie them and save the model again, or fine-tune from an untied base "
            + "(`tie_word_embeddings: false`)"
    }
}
