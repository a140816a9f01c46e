extension MergeSettings {
    /// A merge method: what it is called, where it comes from, what it needs and what is usual for it. How it merges is
    /// one file of `Merging/Methods`. A new method is an entry of `allCases` here and an implementation in
    /// `MergeMethods.all` there.
    package struct Method: RawRepresentable, Codable, CaseIterable, Sendable {
        /// What a merge by the method cannot go without.
        package enum Need: Sendable {
            /// The task vectors alone; with examples and a graph the result is scored.
            case taskVectors
            /// Those, and decompositions of matrices by libtorch.
            case linearAlgebra
            /// Examples of every task and a graph: forward passes, no labels.
            case examples
            /// Those, and gradients: merging weights are trained.
            case training
        }

        /// The name in the configuration, on the command line and in `release.json`.
        package let rawValue: String
        /// Authors and arXiv number.
        package let paper: String
        package let need: Need
        /// λ of the static methods; the coefficient that trained weights start from.
        package let usualScale: Double
        /// Whether λ is searched where none is set; `usualScale` is then for a merge without held-out examples.
        package let searchesScale: Bool
        /// Share of each task vector's elements that are kept.
        package let usualDensity: Double
        package let usualGranularity: Granularity
        /// What becomes of Adam's step size, and the most steps, where the fit may calibrate.
        private let schedule: Schedule
        private let steps: Int
        /// Adam's step size with one weight for each tensor, and with more.
        private let rates: (tensor: Double, rows: Double)
        /// Whether a merge of adapters by the method is one adapter of the sum of their ranks.
        package let keepsFactors: Bool

        private init(
            _ name: String, _ paper: String, needs need: Need = .taskVectors, scale: Double = 0.3, density: Double = 1,
            granularity: Granularity = .auto, rates: (tensor: Double, rows: Double) = (0.01, 0.03),
            schedule: Schedule = .cosine, steps: Int = 300, searchesScale: Bool = false, keepsFactors: Bool = true
        ) {
            rawValue = name
            self.paper = paper
            self.need = need
            usualScale = scale
            self.searchesScale = searchesScale
            usualDensity = density
            usualGranularity = granularity
            self.rates = rates
            (self.schedule, self.steps) = (schedule, steps)
            self.keepsFactors = keepsFactors
        }

        package static let supermerge = Self("supermerge", "SuperMerge, arXiv 2412.10416", needs: .training)
        package static let average = Self("average", "Wortsman et al., arXiv 2203.05482")
        package static let taskArithmetic = Self("task-arithmetic", "Ilharco et al., arXiv 2212.04089")
        package static let ties = Self(
            "ties", "Yadav et al., arXiv 2306.01708", scale: 1, density: 0.2, keepsFactors: false)
        package static let dare = Self("dare", "Yu et al., arXiv 2311.03099", density: 0.5, keepsFactors: false)
        /// Layer-wise, as its authors have it.
        package static let adamerging = Self(
            "adamerging", "Yang et al., arXiv 2310.02575", needs: .training, granularity: .tensor,
            rates: (0.001, 0.001), schedule: .constant, steps: 600)

        /// Closed form, layer by layer.
        package static let calibrate = Self(
            "calibrate", "supermerged; relatives: FeatCal, arXiv 2605.13030, RegMean++, arXiv 2508.03121",
            needs: .examples,
            granularity: .tensor, keepsFactors: false)

        package static let regMean = Self(
            "regmean", "Jin et al., arXiv 2212.09849", needs: .examples, granularity: .tensor, keepsFactors: false)
        package static let regMeanPlusPlus = Self(
            "regmean++", "Nguyen et al., arXiv 2508.03121", needs: .examples, granularity: .tensor,
            keepsFactors: false)
        package static let lot = Self(
            "lot", "LOT, arXiv 2505.23859", needs: .examples, scale: 1.3, granularity: .tensor, searchesScale: true,
            keepsFactors: false)
        package static let tsv = Self(
            "tsv-m", "Gargiulo et al., arXiv 2412.00081", needs: .linearAlgebra, scale: 1, keepsFactors: false)
        package static let isoC = Self(
            "iso-c", "Marczak et al., arXiv 2502.04959", needs: .linearAlgebra, scale: 1.3, keepsFactors: false)
        package static let isoCTS = Self(
            "iso-cts", "Marczak et al., arXiv 2502.04959", needs: .linearAlgebra, scale: 1.5, keepsFactors: false)

        /// Every method, in the order in which they are named to people.
        package static let allCases = [
            supermerge, average, taskArithmetic, ties, dare, adamerging, calibrate, regMean, regMeanPlusPlus, lot, tsv,
            isoC, isoCTS,
        ]
    }
}

extension MergeSettings.Method {
    /// The method of that name; nil where there is none.
    package init?(rawValue: String) {
        guard let known = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = known
    }

    /// What merges tasks without examples where no method is named: the best of those that need none, by accuracy
    /// on the zoo's validation sets (`docs/results`).
    ///
    /// `keepingFactors`: one that a merge of adapters into one adapter may take.
    package static func withoutExamples(keepingFactors: Bool) -> Self { keepingFactors ? taskArithmetic : isoCTS }

    /// Whether merging weights are trained, by gradients.
    package var isLearned: Bool { need == .training }

    /// Whether every task needs examples, and the base a graph.
    package var needsExamples: Bool { need == .training || need == .examples }

    /// Whether libtorch is needed even where nothing is scored.
    package var needsLinearAlgebra: Bool { need == .linearAlgebra }

    /// What becomes of the step size: it falls, but for a fit from the task vectors alone, which stays as it was before
    /// there was another.
    package func usualSchedule(_ start: MergeSettings.Start) -> MergeSettings.Schedule {
        start == .taskVectors ? .constant : schedule
    }

    /// The most steps of a fit.
    package func usualSteps(_ start: MergeSettings.Start) -> Int { start == .taskVectors ? 600 : steps }

    /// Adam's step size: as the method's authors have it, and larger where there are many weights.
    package func usualLearningRate(_ granularity: MergeSettings.Granularity) -> Double {
        granularity == .tensor ? rates.tensor : rates.rows
    }
}

extension MergeSettings.Method: Hashable {
    package static func == (one: Self, other: Self) -> Bool { one.rawValue == other.rawValue }
    package func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}
