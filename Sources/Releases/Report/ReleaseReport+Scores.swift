internal import WorkerProtocol

extension ReleaseReport {
    private static let rowHeight = 24.0
    private static let labelWidth = 190.0
    private static let width = 720.0

    /// Every task before and after, as points on a line and as a table.
    var scores: Markup {
        let scored = record.result.tasks.filter { $0.merged != nil }
        guard !scored.isEmpty else {
            return "<section>\n<h2>Tasks</h2>\n<p>No task had validation data, so nothing was measured.</p>\n</section>"
        }
        var metrics: [String] = []
        for metric in scored.compactMap({ $0.merged?.metric }) where !metrics.contains(metric) {
            metrics.append(metric)
        }
        let pictures = metrics.map { metric in picture(metric, scored.filter { $0.merged?.metric == metric }) }
        return """
            <section>
            <h2>Tasks</h2>
            <p>\(examples) Higher is better. The own fine-tune is the checkpoint that went in, alone.</p>
            \(Markup(pictures))
            \(scoreTable(scored))
            \(gateTable)
            </section>
            """
    }

    /// Which examples these are, and what was chosen on them.
    private var examples: String {
        guard record.settings.method.isLearned else { return "On the tasks' validation examples." }
        return record.settings.holdout > 0
            ? "On held-out examples, which the fit did not see; its best step was chosen on them, and the gate goes by them."
            : "On the examples that were fitted to: nothing was held out."
    }

    private func picture(_ metric: String, _ tasks: [TaskResult]) -> Markup {
        let scores = tasks.map { [$0.base, $0.own, $0.deployed, $0.merged].map { $0?.value } }
        let values = scores.flatMap { $0.compactMap(\.self) }.filter(\.isFinite)
        let axis = values.allSatisfy { (0...1).contains($0) } ? Axis.unit : Axis(over: values, ticks: 5)
        let span = Self.width - Self.labelWidth - 20
        func x(_ value: Double) -> String { Figure.place(Self.labelWidth + span * axis.fraction(value)) }
        let bottom = Self.rowHeight * Double(tasks.count) + 8
        let grid = axis.ticks.map { tick -> Markup in
            """
            <path class="grid" d="M\(x(tick)) 4V\(Figure.place(bottom))"/>\
            <text class="tick" x="\(x(tick))" y="\(Figure.place(bottom + 14))" text-anchor="middle">\(Figure.short(tick))</text>

            """
        }
        let rows = tasks.enumerated().map { place, task -> Markup in
            let y = Figure.place(Self.rowHeight * (Double(place) + 0.5) + 4)
            let values = scores[place].map { $0.flatMap { $0.isFinite ? $0 : nil } }
            let known = values.compactMap(\.self)
            let line: Markup =
                if let low = known.min(), let high = known.max() {
                    "<path class=\"span\" d=\"M\(x(low)) \(y)H\(x(high))\"/>"
                } else { "" }
            let marks = zip(ScoreMark.allCases, values).compactMap { mark, value in
                value.map { mark.drawing(x: x($0), y: y) }
            }
            return """
                <text class="label" x="\(Figure.place(Self.labelWidth - 14))" y="\(y)" dy="4" text-anchor="end">\
                \(Self.shortened(task.task))</text>\(line)\(marks)

                """
        }
        return """
            <figure>
            <svg viewBox="0 0 720 \(Figure.place(bottom + 20))" role="img" \
            aria-label="\(metric) of every task before and after; the table below has the figures">
            \(grid)\(rows)</svg>
            <figcaption>\(metric): \(ScoreMark.allCases.map(\.legend))</figcaption>
            </figure>
            """
    }

    private func scoreTable(_ tasks: [TaskResult]) -> Markup {
        let rows = tasks.map { task -> [Markup] in
            let fall = task.deployed.flatMap { old in task.merged.map { $0.value - old.value } }
            let pairs: Markup =
                if let paired = task.paired { "+\(paired.gained) −\(paired.lost)" } else { "–" }
            return [
                "\(task.task)", "\(task.merged?.metric ?? "")", "\(task.merged?.examples ?? 0)", "\(task.fitted)",
                "\(Figure.text(task.base?.value))", "\(Figure.text(task.own?.value))",
                "\(Figure.text(task.deployed?.value))", "<strong>\(Figure.text(task.merged?.value))</strong>",
                "\(Figure.change(fall))", pairs, "\(Figure.text(task.merged?.loss))",
            ]
        }
        return ReportTable(
            "Change is against the previous release; + and − count the examples that this release gets right and the "
                + "previous one wrong, and the reverse.",
            [
                "task", "metric", "#examples", "#fitted", "#base", "#own fine-tune", "#previous", "#this release",
                "#change", "#examples +−", "#loss",
            ], rows
        ).markup
    }

    /// The paired tests that the gate went by; nothing where there were none.
    private var gateTable: Markup {
        guard let gate = record.gate, !gate.tests.isEmpty else { return "" }
        let rows = gate.tests.map { test -> [Markup] in
            ["\(test.task)", "\(Figure.text(test.p))", "\(Figure.text(test.adjustedP))"]
        }
        return ReportTable(
            "The gate's paired tests against the previous release. A fall beyond its limit counts where the corrected "
                + "p (Holm, \(gate.tests.count) tests) lies below \(Figure.text(gate.familyWiseLevel)).",
            ["task", "#p", "#corrected p"], rows
        ).markup
    }

    /// A name that fits beside a picture, with both its ends; the table has it whole.
    static func shortened(_ name: String) -> String {
        name.count <= 24 ? name : "\(name.prefix(11))…\(name.suffix(12))"
    }
}

/// The four models that a task is scored with, by shape and colour.
private enum ScoreMark: String, CaseIterable {
    case base
    case own = "own fine-tune"
    case previous = "previous release"
    case merged = "this release"

    func drawing(x: String, y: String) -> Markup {
        switch self {
        case .base: "<path class=\"m-base\" d=\"M\(x) \(y)m-4 -4l8 8m0 -8l-8 8\"/>"
        case .own: "<path class=\"m-own\" d=\"M\(x) \(y)m-6 0l6 -6l6 6l-6 6z\"/>"
        case .previous: "<path class=\"m-old\" d=\"M\(x) \(y)m-5 -5h10v10h-10z\"/>"
        case .merged: "<circle class=\"m-new\" cx=\"\(x)\" cy=\"\(y)\" r=\"4.5\"/>"
        }
    }

    var legend: Markup {
        "<span class=\"key\"><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\">\(drawing(x: "8", y: "8"))</svg> \(rawValue)</span> "
    }
}
