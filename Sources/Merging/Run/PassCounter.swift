internal import WorkerProtocol

/// Counts the passes of a batch through the graph, by the phase of the merge.
final class PassCounter {
    var phase = PassCount.Phase.scoring
    /// By the phases' names.
    private(set) var counts: [String: PassCount] = [:]

    func add(forward: Int = 0, backward: Int = 0) {
        counts[phase.rawValue, default: PassCount()].forward += forward
        counts[phase.rawValue, default: PassCount()].backward += backward
    }
}
