internal import Foundation

/// A linear scale with round ticks.
struct Axis {
    let bounds: ClosedRange<Double>
    let ticks: [Double]

    /// Over all finite `values`, widened to round ticks, about `count` of them. Without a finite value: from 0 to 1.
    init(over values: [Double], ticks count: Int) {
        // Beyond that a difference of two bounds is not finite any more.
        let values = values.filter { $0.isFinite && abs($0) < 1e300 }
        var (low, high) = (values.min() ?? 0, values.max() ?? 1)
        if high - low <= max(abs(high), abs(low)) * 1e-9 + 1e-300 {
            let room = max(abs(high) * 0.1, 1e-6)
            (low, high) = (low - room, high + room)
        }
        let rough = (high - low) / Double(max(count, 1))
        let power = pow(10, log10(rough).rounded(.down))
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
        let first = (low / step).rounded(.down)
        let last = (high / step).rounded(.up)
        let steps = Int(min(max(last - first, 1), 50))
        ticks = (0...steps).map { (first + Double($0)) * step }
        bounds = (ticks.first ?? 0)...(ticks.last ?? 1)
    }

    /// Exactly from 0 to 1.
    static let unit = Axis(over: [0, 1], ticks: 5)

    /// Where a value lies between the ends, 0 to 1; what lies beyond them is at the end.
    func fraction(_ value: Double) -> Double {
        guard value.isFinite else { return 0 }
        return min(max((value - bounds.lowerBound) / (bounds.upperBound - bounds.lowerBound), 0), 1)
    }
}
