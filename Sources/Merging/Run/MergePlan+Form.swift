internal import Files
internal import Safetensors
internal import WorkerProtocol

extension MergePlan {
    /// The settings with `auto` granularity decided by how many examples the tasks have: by the median, so that one
    /// newcomer with a few does not change what all the others are merged with. Reads headers.
    func resolvedSettings() throws -> ResolvedSettings {
        guard settings.granularity == .auto else { return ResolvedSettings(settings) }
        let labels = try tasks.compactMap { task -> (count: Int, areThere: Bool)? in
            let path = task.examplesPath
            guard try FileStatus.ifPresent(path) != nil else { return nil }
            let file = try SafetensorsFile(file: ReadableFile(path: path, followingLinks: true))
            let counted = file.entry("labels") ?? file.entries.first
            let isLearnedFrom = file.entry("labels") != nil && !task.settings.objective.predictsTokens
            return (counted?.shape.first ?? 0, isLearnedFrom)
        }
        let counts = labels.map(\.count).sorted()
        return settings.resolved(
            examples: counts.isEmpty ? 0 : counts[(counts.count - 1) / 2],
            areLabelled: !labels.isEmpty && labels.allSatisfy(\.areThere))
    }
}

extension MergeSettings {
    /// What to say where `auto` became the form for few examples.
    func note(ofForm resolved: ResolvedSettings) -> String? {
        guard method == .supermerge, granularity == .auto, resolved.granularity == .tensor else { return nil }
        return
            "fewer than \(Self.examplesForRows) examples a task: each tensor has one weight; with more, each row and "
            + "each column gets its own"
    }
}
