/// The demo's tasks. They pull one trunk in different directions: what `sideways` must not see, `rotation` asks for.
enum DemoTask: String, CaseIterable {
    /// Which way up is it? Four classes.
    case rotation
    /// Which garment is it on a noisy negative? Ten classes.
    case negative
    /// Which garment is it, lying on its side and not in the middle? Ten classes.
    case sideways
    /// Which quarter has a hole, or none? Five classes.
    case damage

    /// An example of the task made from a garment.
    func example(_ garment: Garment, _ generator: inout SplitMix64) -> (picture: Picture, label: Int) {
        switch self {
        case .rotation:
            let quarters = Int.random(in: 0..<4, using: &generator)
            return (garment.picture.turned(quarters), quarters)
        case .negative:
            return (garment.picture.negative().noisy(0.8, &generator), garment.kind)
        case .sideways:
            let picture = garment.picture.turned(1).shifted(
                down: .random(in: -4...4, using: &generator), right: .random(in: -4...4, using: &generator))
            return (picture, garment.kind)
        case .damage:
            let quarter = Int.random(in: 0..<5, using: &generator)
            guard quarter < 4 else { return (garment.picture, quarter) }
            let row = quarter / 2 * 14 + Int.random(in: 1...5, using: &generator)
            let column = quarter % 2 * 14 + Int.random(in: 1...5, using: &generator)
            return (garment.picture.blanked(row: row, column: column, size: 8), quarter)
        }
    }
}
