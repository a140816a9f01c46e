internal import ExportedGraph
internal import Foundation
internal import Torch

/// First values for parameters that no checkpoint holds: a new head, or a model that is trained from nothing.
///
/// Vectors named `bias` are 0 and other vectors (norms) 1; everything else is normal with deviation 1/√fan-in, as LeCun
/// et al., Efficient BackProp (1998), advise.
struct Initialization {
    private var state: UInt64

    init(seed: UInt64) { state = seed &+ 0x5851_f42d_4c95_7f2d }

    mutating func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        let count = try Self.count(name, shape)
        guard shape.count > 1 else {
            let value: Float = name.hasSuffix("bias") ? 0 : 1
            return try Tensor([Float](repeating: value, count: count), shape: shape)
        }
        let deviation = 1 / Double(max(1, shape.dropFirst().reduce(1, *))).squareRoot()
        return try Tensor((0..<count).map { _ in Float(normal() * deviation) }, shape: shape)
    }

    /// Elements of a shape that a graph asks for; it may ask for anything.
    private static func count(_ name: String, _ shape: [Int]) throws -> Int {
        var count = 1
        for length in shape {
            let (product, overflows) = count.multipliedReportingOverflow(by: length)
            guard !overflows, product >= 0, product <= mostElements else {
                throw MergeError.base(
                    "the graph's parameter \(name) of shape \(shape) is too large to start from nothing")
            }
            count = product
        }
        return count
    }

    private static let mostElements = 1 << 34

    /// A standard normal number (Box and Muller, 1958).
    private mutating func normal() -> Double {
        (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform())
    }

    /// Uniform in (0, 1].
    private mutating func uniform() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let word = (state ^ (state >> 18)) >> 27
        return (Double(word & 0xffff_ffff) + 1) / 4_294_967_296
    }
}
