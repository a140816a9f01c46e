/// The demo's tasks. They pull one trunk in different directions: `closeup` must not mind where things are, `damage`
/// must.
enum DemoTask: String, CaseIterable {
    /// Which way up is it? Four classes.
    case rotation
    /// Which garment is it on a noisy negative? Ten classes.
    case negative
    /// Which garment is it, of which only a part is seen, enlarged? Ten classes.
    case closeup
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
        case .closeup:
            let row = Int.random(in: 4...8, using: &generator)
            let column = Int.random(in: 4...8, using: &generator)
            return (garment.picture.enlarged(row: row, column: column, size: 16), garment.kind)
        case .damage:
            let quarter = Int.random(in: 0..<5, using: &generator)
            guard quarter < 4 else { return (garment.picture, quarter) }
            let row = quarter / 2 * 14 + Int.random(in: 1...5, using: &generator)
            let column = quarter % 2 * 14 + Int.random(in: 1...5, using: &generator)
            return (garment.picture.blanked(row: row, column: column, size: 8), quarter)
        }
    }

    /// An example for the base: a garment somewhere in the picture, any way up, now and then with a hole. The label
    /// tells the garment and which way up it is.
    static func baseExample(_ garment: Garment, _ generator: inout SplitMix64) -> (picture: Picture, label: Int) {
        let quarters = Int.random(in: 0..<4, using: &generator)
        var picture = garment.picture.turned(quarters).shifted(
            down: .random(in: -3...3, using: &generator), right: .random(in: -3...3, using: &generator))
        if Bool.random(using: &generator) {
            picture = picture.blanked(
                row: .random(in: 0...20, using: &generator), column: .random(in: 0...20, using: &generator), size: 8)
        }
        return (picture, garment.kind * 4 + quarters)
    }
}
