/// Which examples a step sees: a pure function of seed, task name and step, so that an interrupted fit goes on with the
/// same batches and a task's batches do not depend on the other tasks.
struct Sampler: Sendable {
    let examples: [Int]
    let batch: Int
    let seed: UInt64
    let task: String

    /// The examples of one step (0, 1, 2 …): consecutive pieces of a new shuffle every epoch.
    func indices(step: Int) -> [Int] {
        let size = min(batch, examples.count)
        let perEpoch = max(1, examples.count / size)
        let epoch = step / perEpoch
        let order = Self.permutation(examples.count, seed: seed, stream: "\(task)/\(epoch)")
        let start = (step % perEpoch) * size
        return order[start..<start + size].map { examples[$0] }
    }

    /// A permutation of 0..<count by Fisher and Yates.
    static func permutation(_ count: Int, seed: UInt64, stream: String) -> [Int] {
        var words = SplitMix64(seed: seed, stream: stream)
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, Int(words.next().multipliedFullWidth(by: UInt64(last + 1)).high))
        }
        return order
    }
}
