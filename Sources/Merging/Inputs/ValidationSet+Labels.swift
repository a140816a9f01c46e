internal import Tasks
internal import Torch
internal import WorkerProtocol

extension ValidationSet {
    /// Throws `LabelFault` where a label is none of `classes` classes, or where of an example none is scored that could
    /// be. Admission has checked it, as far as the shapes of graph and head tell the classes.
    func checkLabels(classes: Int, _ objective: Objective) throws {
        guard let labels = try labelValues() else { return }
        let width = labels.values.count / max(1, count)
        var scan = LabelScan(objective.kind, width: width, outputs: classes, isCausal: objective.shifts)
        for label in labels.values { scan.add(label) }
        if let fault = scan.fault { throw fault }
    }

    /// One more than the largest label, for the size of a new head; a fine-tune may leave labels out. Throws
    /// `LabelFault` where no head could have them.
    func classes() throws -> Int {
        let labels = try labelValues()
        let scored = (labels?.values ?? []).filter { $0 != Int64(LabelFault.ignored) }
        guard let largest = scored.max() else { throw LabelFault.noClasses }
        let classes = Int(min(largest, Self.mostClasses)) + 1
        var scan = LabelScan(.classification, width: 1, outputs: max(1, classes), isCausal: false)
        for label in scored { scan.add(label) }
        if let fault = scan.fault { throw fault }
        return classes
    }

    private static let mostClasses: Int64 = 1 << 24
}
