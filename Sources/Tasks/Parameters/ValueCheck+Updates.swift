import Adapters
import Files
import Safetensors

/// What an adapter does to the base, by its values alone.
extension ValueCheck {
    /// How many times as large as the base's tensor an update may be, by their norms.
    private static let mostUpdate = 100.0
    /// Root mean square of an update's elements below which no base is small enough for that.
    private static let smallUpdate = 0.05

    /// An adapter whose products are all zero, or whose gains are all one, was saved before it was trained; one of
    /// whose factors repeats another number was filled.
    func checkUpdates(_ adapter: Adapter, _ constants: [String: Double]) throws(AdmissionFault) {
        let filled = adapter.updates.values.flatMap(\.factors).filter { name in
            constants[name].map { $0 != 0 && $0 != 1 } ?? false
        }
        guard filled.isEmpty else {
            throw .refused(
                code: "zero-tensor",
                message:
                    "\(filled.sorted().firstFew) of the adapter: every element is the same, which no training makes "
                    + "them; save the adapter again")
        }
        let moves = adapter.updates.values.contains { update in
            switch update.structure {
            case _ where update.isReplaced: true
            case .lowRank(let left, let right, _, let scale):
                scale != 0 && constants[left.name] != 0 && constants[right.name] != 0
            case .rowGains(let factor), .columnGains(let factor, _): !factor.name.isEmpty && constants[factor.name] != 1
            case nil: false
            }
        }
        guard !moves, !hasHead, !adapter.updates.isEmpty else { return }
        throw .refused(
            code: "equals-base",
            message:
                "the adapter changes nothing: of every product one factor is zero; it was saved before it was trained: "
                + "upload the trained one")
    }

    /// Throws where a product is many times as large as the tensor that it is added to. Reads the factors, and of the
    /// base only tensors whose update is large.
    func checkSizes(_ adapter: Adapter) throws(AdmissionFault) {
        for name in adapter.updates.keys.sorted() {
            guard case .lowRank(let left, let right, let rank, let scale)? = adapter.updates[name]?.structure,
                !right.name.isEmpty, let entry = parameters.base.checkpoint.entry(name), entry.elementCount > 0
            else { continue }
            let size: Double
            let norm: Double
            do throws(SafetensorsError) {
                size = try abs(scale) * adapter.norm(left, right, rank: rank)
                guard size > Self.smallUpdate * Double(entry.elementCount).squareRoot() else { continue }
                norm = try parameters.base.checkpoint.norm(name)
            } catch {
                throw AdmissionFault(error)
            }
            guard size > Self.mostUpdate * norm, norm > 0 else { continue }
            throw .refused(
                code: "adapter-mismatch",
                message:
                    "what the adapter adds to `\(shown(name))` is \(Float(size / norm)) times as large as the base's "
                    + "own values (at most \(Int(Self.mostUpdate)) is expected); look at `lora_alpha` and at the "
                    + "factors, or train it again")
        }
    }
}

extension TensorUpdate {
    /// The names of the tensors in the adapter's file that it is made of.
    fileprivate var factors: [String] {
        switch structure {
        case .lowRank(let left, let right, _, _): [left.name, right.name].filter { !$0.isEmpty }
        case .rowGains(let factor), .columnGains(let factor, _): [factor.name].filter { !$0.isEmpty }
        case nil: []
        }
    }
}

extension Adapter {
    private static let probes = 4

    /// About the Frobenius norm of left · right: the mean length of its products with vectors of signs, whose
    /// expectation it is. Memory: both factors in f64.
    fileprivate func norm(
        _ left: TensorUpdate.Factor, _ right: TensorUpdate.Factor, rank: Int
    ) throws(SafetensorsError) -> Double {
        guard let first = file.entry(left.name), let second = file.entry(right.name), rank > 0 else { return 0 }
        let a = try file.elements(of: second)
        let b = try file.elements(of: first)
        let (columns, rows) = (a.count / rank, b.count / rank)
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        var sum = 0.0
        for _ in 0..<Self.probes {
            var inner = [Double](repeating: 0, count: rank)
            for column in 0..<columns {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let sign = state >> 63 == 0 ? 1.0 : -1.0
                for place in 0..<rank {
                    inner[place] += sign * (right.isTransposed ? a[column * rank + place] : a[place * columns + column])
                }
            }
            for row in 0..<rows {
                var value = 0.0
                for place in 0..<rank {
                    value += inner[place] * (left.isTransposed ? b[place * rows + row] : b[row * rank + place])
                }
                sum += value * value
            }
        }
        return (sum / Double(Self.probes)).squareRoot()
    }
}
