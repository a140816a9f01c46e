/// A key of `alpha_pattern`: to PEFT a regular expression that has to match a module's whole name, or the end of it behind a point.
///
/// All ways through the expression are followed side by side and none of them twice (Thompson, Communications of the ACM 11, 1968),
/// so that no expression takes longer than the product of its length and the name's.
package struct ModulePattern: Hashable, Sendable {
    /// Two keys are two patterns, even where they match the same.
    private let key: String
    private let steps: [ModulePatternStep]

    /// Nil where the key is empty, or has something of regular expressions that `ModulePatternParser` does not know.
    package init?(_ key: String) {
        var parser = ModulePatternParser(key)
        guard let steps = parser.steps() else { return nil }
        self.key = key
        self.steps = steps
    }

    package func matches(_ module: String) -> Bool {
        let name = Array(module.unicodeScalars)
        var places: [Int] = []
        for position in 0...name.count {
            if position == 0 || name[position - 1] == "." { places.append(0) }
            places = reachable(from: places, isFirst: position == 0, isLast: position == name.count)
            guard position < name.count else { break }
            places = places.filter { place in
                guard place < steps.count, case .one(let characters) = steps[place] else { return false }
                return characters.contains(name[position])
            }.map { $0 + 1 }
        }
        return places.contains(steps.count)
    }

    /// The places that take a character, and the end, to which `places` lead without one.
    private func reachable(from places: [Int], isFirst: Bool, isLast: Bool) -> [Int] {
        var pending = places
        var seen: Set<Int> = []
        while let place = pending.popLast() {
            guard seen.insert(place).inserted, place < steps.count else { continue }
            switch steps[place] {
            case .one: break
            case .either(let first, let second): pending += [place + first, place + second]
            case .go(let way): pending.append(place + way)
            case .start: if isFirst { pending.append(place + 1) }
            case .end: if isLast { pending.append(place + 1) }
            }
        }
        return seen.sorted().filter { place in
            guard place < steps.count else { return true }
            if case .one = steps[place] { return true }
            return false
        }
    }
}
