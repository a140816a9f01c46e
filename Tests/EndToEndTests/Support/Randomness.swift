import Foundation
import Reliability

/// The same numbers on every machine.
struct Randomness: RandomNumberGenerator {
    private var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    mutating func next() -> UInt64 { generator.next() }

    /// A number of the normal distribution (Box and Muller, 1958).
    mutating func normal() -> Float {
        let radius = (-2 * log(Double.random(in: 1e-12..<1, using: &self))).squareRoot()
        return Float(radius * cos(2 * .pi * Double.random(in: 0..<1, using: &self)))
    }

    mutating func normals(_ count: Int, scale: Float = 1) -> [Float] { (0..<count).map { _ in scale * normal() } }
}
