internal import WorkerProtocol

extension ReleaseReport {
    /// The fit's losses over its steps; nil where nothing was learned.
    var fit: Markup? {
        let curve = record.result.curve.thinned(keeping: record.result.bestStep)
        guard !curve.isEmpty else { return nil }
        let what = record.result.tree.isEmpty ? "the fit" : "the last fit of the tree"
        let strategy: Markup =
            if let choice = record.result.strategy { " Strategy \(choice.strategy.rawValue): \(choice.reason)." } else {
                ""
            }
        let rows = curve.map { point -> [Markup] in
            [
                "\(point.step)\(point.step == record.result.bestStep ? " (kept)" : "")",
                "\(point.step == 0 ? "–" : Figure.short(point.loss))", "\(point.heldOut.map(Figure.short) ?? "–")",
            ]
        }
        return """
            <section>
            <h2>Fit</h2>
            <p>\(Figure.count(record.result.steps, "step")) of at most \(record.settings.steps); the weights of step \
            \(record.result.bestStep), the best on held-out examples, were kept: \(record.result.weights) merging weights, \
            granularity \(record.resolvedSettings.granularity.rawValue), loss \(record.resolvedSettings.loss.rawValue).\(strategy)</p>
            \(picture(of: curve))
            \(ReportTable("Mean loss over the tasks in \(what).", ["step", "#fit", "#held-out"], rows)
                .folded("The losses as a table"))
            </section>
            """
    }

    private func picture(of curve: [FitPoint]) -> Markup {
        let (left, right, top, bottom) = (64.0, 700.0, 10.0, 220.0)
        // At step 0 nothing has been fitted yet: its loss is the held-out one.
        let fitted = curve.filter { $0.step > 0 && $0.loss.isFinite }.map { ($0.step, $0.loss) }
        let heldOut = curve.compactMap { point in point.heldOut.map { (point.step, $0) } }.filter { $0.1.isFinite }
        let losses = Axis(over: (fitted + heldOut).map(\.1), ticks: 5)
        let steps = Axis(over: [0, Double(max(curve.last?.step ?? 1, 1))], ticks: 8)
        func x(_ step: Double) -> String { Figure.place(left + (right - left) * steps.fraction(step)) }
        func y(_ loss: Double) -> String { Figure.place(bottom - (bottom - top) * losses.fraction(loss)) }
        func line(_ points: [(Int, Double)], _ style: String) -> Markup {
            guard !points.isEmpty else { return "" }
            let path = points.map { "\(x(Double($0.0))) \(y($0.1))" }.joined(separator: "L")
            return "<path class=\"\(style)\" d=\"M\(path)\"/>\n"
        }
        let grid = losses.ticks.map { tick -> Markup in
            """
            <path class="grid" d="M\(Figure.place(left)) \(y(tick))H\(Figure.place(right))"/>\
            <text class="tick" x="\(Figure.place(left - 6))" y="\(y(tick))" dy="4" text-anchor="end">\(Figure.short(tick))</text>

            """
        }
        let feet = steps.ticks.map { tick -> Markup in
            """
            <text class="tick" x="\(x(tick))" y="\(Figure.place(bottom + 16))" text-anchor="middle">\(Figure.short(tick))</text>
            """
        }
        let best = heldOut.first { $0.0 == record.result.bestStep }.map { point -> Markup in
            "<circle class=\"best\" cx=\"\(x(Double(point.0)))\" cy=\"\(y(point.1))\" r=\"5\"/>\n"
        }
        return """
            <figure>
            <svg viewBox="0 0 720 256" role="img" aria-label="Loss over the steps of the fit; the table below has the figures">
            \(grid)\(feet)
            <text class="tick" x="382" y="252" text-anchor="middle">step</text>
            \(line(fitted, "l-fit"))\(line(heldOut, "l-held"))\(best ?? "")</svg>
            <figcaption>Loss: <span class="key"><svg viewBox="0 0 24 16" aria-hidden="true"><path class="l-fit" d="M2 8h20"/>\
            </svg> fit, the step's batches</span> <span class="key"><svg viewBox="0 0 24 16" aria-hidden="true">\
            <path class="l-held" d="M2 8h20"/></svg> held-out</span> <span class="key"><svg viewBox="0 0 16 16" \
            aria-hidden="true"><circle class="best" cx="8" cy="8" r="5"/></svg> kept</span></figcaption>
            </figure>
            """
    }

    /// The fits of a hierarchical merge; nil for any other.
    var tree: Markup? {
        let nodes = record.result.tree
        guard !nodes.isEmpty else { return nil }
        let places = Dictionary(nodes.enumerated().map { ($1.digest, $0 + 1) }) { first, _ in first }
        let rows = nodes.enumerated().map { place, node -> [Markup] in
            let children = node.children.map { child in places[child].map { "fit \($0)" } ?? child }
            return [
                "\(place + 1)", "\(children.joined(separator: " + "))", "\(node.tasks.count)", "\(node.steps)",
                "\(node.bestStep)", "\(node.heldOut.map(Figure.short) ?? "–")",
                "\(node.isReused ? "taken from an earlier merge" : "fitted")",
            ]
        }
        return """
            <section>
            <h2>Tree</h2>
            \(ReportTable(
                "The fits of the tree, children before parents; the last is the release.",
                ["fit", "merges", "#tasks", "#steps", "#kept step", "#held-out loss", "now"], rows).markup)
            </section>
            """
    }
}
