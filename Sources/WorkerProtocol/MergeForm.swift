/// What `auto` became in a merge's settings, for the examples that were there.
package struct MergeForm: Codable, Hashable, Sendable {
    package var granularity: MergeSettings.Granularity
    package var loss: MergeSettings.Loss

    package init(granularity: MergeSettings.Granularity, loss: MergeSettings.Loss) {
        self.granularity = granularity
        self.loss = loss
    }
}

extension MergeSettings {
    /// Examples of a task, the median, from which on weights for rows and columns are better than one for each tensor
    /// (docs/results, "Fewer labelled examples").
    package static let examplesForRows = 32

    package var form: MergeForm { MergeForm(granularity: granularity, loss: loss) }

    /// The settings with `auto` granularity decided for tasks of which the median has `examples`. With few of them, and labels for
    /// all, an `auto` loss goes by the labels, too.
    package func settled(examples: Int, areLabelled: Bool) -> MergeSettings {
        guard granularity == .auto else { return self }
        var settings = self
        guard method == .supermerge, examples >= Self.examplesForRows else {
            settings.granularity = .tensor
            if method == .supermerge, loss == .auto, areLabelled { settings.loss = .both }
            return settings
        }
        settings.granularity = .rowColumn
        return settings
    }

    /// The settings with another's form; as they are where there is none.
    package func taking(_ form: MergeForm?) -> MergeSettings {
        var settings = self
        if let form { (settings.granularity, settings.loss) = (form.granularity, form.loss) }
        return settings
    }
}
