/// The search for λ: the usual one first, then its neighbours a factor of 10 apart, in the direction in which the
/// held-out loss falls.
struct RidgeSearch {
    /// What was tried, with the held-out loss where one was taken.
    private(set) var tried: [(ridge: Double, loss: Double?)] = []
    /// The next λ to try; nil: the search is over.
    private(set) var next: Double?
    private var best: (ridge: Double, loss: Double)?
    private var factor = 10.0
    private let isGiven: Bool

    static let usual = 0.01
    static let most = 4

    /// `given`: the only λ to take.
    init(_ given: Double?) {
        isGiven = given != nil
        next = given ?? Self.usual
    }

    /// Takes the held-out loss at `next`; nil where there is none, which ends the search. Returns whether it is the
    /// best so far.
    mutating func record(_ loss: Double?) -> Bool {
        guard let ridge = next else { return false }
        tried.append((ridge, loss))
        next = nil
        guard let loss, !isGiven else {
            best = (ridge, .infinity)
            return tried.count == 1
        }
        let isBetter = best.map { loss < $0.loss } ?? true
        if isBetter { best = (ridge, loss) }
        // A neighbour above that is no better: the other direction.
        if !isBetter, tried.count == 2, factor > 1 {
            factor = 0.1
            next = tried[0].ridge * factor
        } else if isBetter, tried.count < Self.most {
            next = ridge * factor
        }
        return isBetter
    }

    /// The best so far.
    var chosen: Double { best?.ridge ?? Self.usual }

    /// The chosen λ and the losses, for people.
    var summary: String {
        let losses = tried.compactMap { tried in tried.loss.map { "\($0.rounded4) at \(tried.ridge)" } }
        return "ridge \(chosen)"
            + (losses.isEmpty ? "" : "; held-out loss \(losses.joined(separator: ", "))")
    }
}

extension Double {
    /// To four decimals, for people.
    var rounded4: Double { (self * 10_000).rounded() / 10_000 }
}
