extension MergeSettings {
    /// What a task of this objective is fitted to; never `auto`.
    package func loss(of objective: TaskSettings.Objective) -> Loss {
        guard loss == .auto else { return loss }
        return objective.predictsTokens ? .labels : .distillation
    }

    /// Whether what is merged needs no score on the way: examples may then stay unused.
    package var canMergeUnscored: Bool { !method.needsExamples && !method.needsLinearAlgebra && !searchesScale }

    /// Whether a task of this objective can only be merged with labels: no other method and no distillation looks at
    /// them.
    package func needsLabels(_ objective: TaskSettings.Objective) -> Bool {
        method == .supermerge && loss(of: objective) != .distillation
    }

    /// Whether a fit by these settings may start with a calibration.
    package var calibrates: Bool { method == .supermerge && start != .taskVectors && !writesAdapter }

    /// Why nothing can be computed on `device` here, and what to set instead; else nil.
    package var deviceFault: String? {
        Product.devices.contains(device) ? nil : "CUDA is not available in this build; set `device: cpu`"
    }

    /// What `scale` would have to be, where it is not: a learned fit has to start where its weights move. Else nil.
    package var scaleFault: String? {
        guard method.isLearned else { return nil }
        switch (method, squash) {
        case (.supermerge, .identity): return !searchesScale && scale.isFinite ? nil : "a number"
        case (.supermerge, .clamp): return !searchesScale && (0...1).contains(scale) ? nil : "between 0 and 1"
        default: return !searchesScale && abs(scale) < 1 ? nil : "between -1 and 1, both excluded,"
        }
    }

    /// Why `writesAdapter` can't be had with these settings, and what to set instead; else nil.
    package var adapterFault: String? {
        guard writesAdapter else { return nil }
        guard method.keepsFactors else {
            return
                "can't be had with \(method.rawValue), which does not keep the adapters' factors; choose another method"
        }
        guard method != .supermerge || ![.calibrated, .correction].contains(start) else {
            return
                "can't be had with start \(start.rawValue), whose correction has no low rank; choose start "
                + "task-vectors or auto"
        }
        guard method.isLearned, granularity == .element else { return nil }
        return "can't be had with granularity element, which leaves no low rank; choose tensor, row or row-column"
    }

    /// Why a fit can't start at `start`, and what to set instead; else nil. A tree's weights are products of those of
    /// its nodes, in which a correction of the whole merge has no place.
    package var startFault: String? {
        guard method == .supermerge, strategy == .hierarchical, [.calibrated, .correction].contains(start) else {
            return nil
        }
        return
            "\(start.rawValue) can't be had with strategy hierarchical, whose fits start at the task vectors; choose "
            + "start task-vectors or auto, or strategy joint or incremental"
    }

    /// Settings that don't go with others, by name, and why: what the value must be, or what to set instead.
    package var contradictions: [(name: String, message: String)] {
        let isGained = method == .adamerging && granularity == .rowColumn
        let faults: [(String, String?)] = [
            ("scale", scaleFault.map { "must be \($0) for \(method.rawValue)" }),
            ("granularity", isGained ? "must be tensor, row or element for adamerging" : nil),
            ("device", deviceFault), ("start", startFault), ("adapter", adapterFault),
        ]
        return faults.compactMap { name, message in message.map { (name, $0) } }
    }

    /// Gives every setting that is not among the written ones what is usual for the chosen method, form and start.
    package mutating func complete(written names: Set<String>) {
        for setting in MergeSetting.all where !names.contains(setting.name) || setting.name == "scale" && searchesScale
        {
            setting.takeUsual?(&self)
        }
    }

    /// Fewer steps than these can't both find a newcomer's place and settle.
    package static let fewestStepsOfArrival = 24

    /// Most gradient steps of a fit that starts at a deployed release which has most of the tasks; at most `steps`.
    package var arrivalSteps: Int {
        min(steps, max(Int((Double(steps) * arrivalShare).rounded(.up)), Self.fewestStepsOfArrival))
    }
}
