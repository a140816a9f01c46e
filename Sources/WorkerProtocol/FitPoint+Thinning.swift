extension [FitPoint] {
    /// Points that a release keeps of a fit, however many looks it took.
    package static var mostKept: Int { 512 }

    /// At most `count` of the points (3 or more), evenly spread, with the first, the last and that of step `best` among
    /// them.
    package func thinned(to count: Int = mostKept, keeping best: Int) -> [FitPoint] {
        precondition(count >= 3, "the first, the last and the best point are always kept")
        guard self.count > count else { return self }
        let room = count - 1
        var places = Set((0..<room).map { $0 * (self.count - 1) / (room - 1) })
        if let place = firstIndex(where: { $0.step == best }) { places.insert(place) }
        return places.sorted().map { self[$0] }
    }
}
