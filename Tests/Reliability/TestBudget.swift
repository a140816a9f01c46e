import Foundation

/// How much a suite tries: little with `make test`, all of it with `make reliability`.
package enum TestBudget {
    /// Whether every point is wanted.
    package static let isFull = ProcessInfo.processInfo.environment["RELIABILITY"] == "full"

    /// `full` where every point is wanted, else `quick`; the environment's `variable`, where it is set, goes before
    /// both.
    package static func count(_ variable: String, quick: Int, full: Int) -> Int {
        ProcessInfo.processInfo.environment[variable].flatMap(Int.init) ?? (isFull ? full : quick)
    }

    /// All of `points`, or about `most` of them, evenly spread from one that `seed` chooses.
    package static func some<Point>(_ points: [Point], most: Int, seed: UInt64 = 0) -> [Point] {
        guard !isFull, points.count > most, most > 0 else { return points }
        let pace = (points.count + most - 1) / most
        return stride(from: Int(seed % UInt64(pace)), to: points.count, by: pace).map { points[$0] }
    }

    /// Those of `all` that the environment's `variable` names, between commas; all where it is not set.
    package static func chosen<Value: RawRepresentable<String>>(_ variable: String, of all: [Value]) -> [Value] {
        guard let text = ProcessInfo.processInfo.environment[variable] else { return all }
        let names = text.split(separator: ",").map(String.init)
        return all.filter { names.contains($0.rawValue) }
    }
}
