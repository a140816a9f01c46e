internal import Torch

/// A batch or group norm's scale and shift, y = w · x̂ + b: ridge regression for each channel alone, where `input` is
/// x̂.
final class ChannelProblem: LayerProblem {
    private let channels: Int
    private let ridge: Double
    /// By channel: Σ x̂², Σ x̂, Σ x̂ y, Σ y, each by the mean over a task's rows, and the tasks that had rows.
    private var sums: [[Double]]
    private var own: [[Double]]
    private var ownRows = 0
    private var tasks = 0.0

    init(channels: Int, ridge: Double) {
        (self.channels, self.ridge) = (channels, ridge)
        sums = [[Double]](repeating: [Double](repeating: 0, count: channels), count: 4)
        own = sums
    }

    func add(_ input: Tensor, _ target: Tensor, of batch: CalibrationBatch) throws {
        let (x, y) = try (input.to(.float32).channelRows(), target.to(.float32).channelRows())
        ownRows += x.shape[0]
        for (place, values) in try [x.multiplied(by: x), x, x.multiplied(by: y), y].enumerated() {
            let added = try values.to(.float64).sum(over: [0]).doubles()
            for channel in 0..<channels { own[place][channel] += added[channel] }
        }
    }

    func finishTask(weight: Tensor?) {
        guard ownRows > 0 else { return }
        for place in own.indices {
            for channel in 0..<channels {
                sums[place][channel] += own[place][channel] / Double(ownRows)
                own[place][channel] = 0
            }
        }
        ownRows = 0
        tasks += 1
    }

    func solution(start weight: Tensor, bias: Tensor?) throws -> LayerSolution? {
        let scale = sums[0].reduce(0, +) / Double(channels)
        guard tasks > 0, scale > 0, scale.isFinite else { return nil }
        let strength = ridge * (scale + tasks) / 2
        let starts = (weight: try weight.doubles(), bias: try bias?.doubles())
        var (gains, shifts) = (starts.weight, starts.bias)
        for channel in 0..<channels {
            let (a, b, c) = (sums[0][channel] + strength, sums[1][channel], tasks + strength)
            let first = sums[2][channel] + strength * starts.weight[channel]
            guard let start = starts.bias?[channel] else {
                gains[channel] = first / a
                continue
            }
            let second = sums[3][channel] + strength * start
            let determinant = a * c - b * b
            gains[channel] = (c * first - b * second) / determinant
            shifts?[channel] = (a * second - b * first) / determinant
        }
        return LayerSolution(
            weight: try Tensor(gains.map(Float.init), shape: weight.shape),
            bias: try shifts.map { try Tensor($0.map(Float.init), shape: weight.shape) })
    }
}
