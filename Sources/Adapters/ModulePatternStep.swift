/// One step of a way through an expression; numbers are distances from its own place.
enum ModulePatternStep: Hashable, Sendable {
    /// Takes one of these characters, and goes on with the next step.
    case one(Characters)
    case either(Int, Int)
    case go(Int)
    /// Goes on at the start of the name only, or at its end.
    case start, end

    struct Characters: Hashable, Sendable {
        var ranges: [ClosedRange<UInt32>]
        /// Whether it is all but these.
        var isNegated = false

        static let digits = Characters(ranges: [0x30...0x39])
        /// Of Python's point, which does not match a line feed.
        static let any = Characters(ranges: [0x0A...0x0A], isNegated: true)

        func contains(_ scalar: Unicode.Scalar) -> Bool {
            ranges.contains { $0.contains(scalar.value) } != isNegated
        }
    }
}
