/// What `auto` became in a merge's settings, for the examples that were there.
package struct MergeForm: Codable, Hashable, Sendable {
    package var granularity: MergeSettings.Granularity
    package var loss: MergeSettings.Loss

    package init(granularity: MergeSettings.Granularity, loss: MergeSettings.Loss) {
        self.granularity = granularity
        self.loss = loss
    }
}

/// The settings that a merge is made by: what was asked for (`MergeSettings`), with everything decided that depends on
/// the method, the examples or the memory. A setting that needs no decision is read through from `asked`.
@dynamicMemberLookup
package struct ResolvedSettings: Codable, Hashable, Sendable {
    /// As configured.
    package let asked: MergeSettings
    /// Not `auto`, but in the record of a method that trains nothing.
    package let granularity: MergeSettings.Granularity
    /// `auto` only where it differs from task to task: see `loss(of:)`.
    package let loss: MergeSettings.Loss
    /// Never `auto` in a merge that has begun.
    package let strategy: MergeSettings.Strategy
    /// Adam's step size; see `MergeSettings.learningRate`.
    package let learningRate: Double
    /// Share of each task vector's elements that is kept: the method's usual one where none was asked for.
    package let density: Double

    package subscript<Value>(dynamicMember path: KeyPath<MergeSettings, Value>) -> Value { asked[keyPath: path] }

    /// `form`: what `auto` became; nil: what is asked for stands. `strategy` likewise.
    package init(_ asked: MergeSettings, form: MergeForm? = nil, strategy: MergeSettings.Strategy? = nil) {
        self.asked = asked
        granularity = form?.granularity ?? asked.granularity
        loss = form?.loss ?? asked.loss
        self.strategy = strategy ?? asked.strategy
        let isUsual =
            asked.granularity == .auto && asked.learningRate == asked.method.usualLearningRate(asked.granularity)
        learningRate = isUsual ? asked.method.usualLearningRate(granularity) : asked.learningRate
        density = asked.density ?? asked.method.usualDensity
    }
}

extension ResolvedSettings {
    package var form: MergeForm { MergeForm(granularity: granularity, loss: loss) }

    /// The same with the strategy that was chosen; as they are where none was.
    package func taking(_ strategy: MergeSettings.Strategy?) -> ResolvedSettings {
        ResolvedSettings(asked, form: form, strategy: strategy ?? self.strategy)
    }

    /// Settings that ask for exactly this: they resolve to it whatever the examples.
    package var pinned: MergeSettings {
        var settings = asked
        (settings.granularity, settings.loss, settings.strategy) = (granularity, loss, strategy)
        settings.learningRate = learningRate
        return settings
    }

    /// What a task of this objective is fitted to; never `auto`.
    package func loss(of objective: TaskSettings.Objective) -> MergeSettings.Loss { pinned.loss(of: objective) }

    /// Whether a task of this objective can only be merged with labels.
    package func needsLabels(_ objective: TaskSettings.Objective) -> Bool { pinned.needsLabels(objective) }

    /// Whether weights that were fitted with `other` are good weights for these settings, but for tasks that came or
    /// went.
    package func hasForm(of other: ResolvedSettings) -> Bool {
        asked.method == .supermerge && other.asked.method == asked.method && granularity == other.granularity
            && asked.squash == other.asked.squash && loss == other.loss && asked.mixup == other.asked.mixup
    }
}

extension MergeSettings {
    /// Examples of a task, the median, from which on weights for rows and columns are better than one for each tensor
    /// (docs/results, "Fewer labelled examples").
    package static let examplesForRows = 32

    /// The settings with `auto` granularity decided for tasks of which the median has `examples`. With few of them, and
    /// labels for all, an `auto` loss goes by the labels, too. `strategy`: what `auto` became.
    package func resolved(examples: Int, areLabelled: Bool, strategy: Strategy? = nil) -> ResolvedSettings {
        guard granularity == .auto else { return ResolvedSettings(self, strategy: strategy) }
        guard method == .supermerge, examples >= Self.examplesForRows else {
            let goesByLabels = method == .supermerge && loss == .auto && areLabelled
            return ResolvedSettings(
                self, form: MergeForm(granularity: .tensor, loss: goesByLabels ? .both : loss), strategy: strategy)
        }
        return ResolvedSettings(self, form: MergeForm(granularity: .rowColumn, loss: loss), strategy: strategy)
    }
}
