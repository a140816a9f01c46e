internal import WorkerProtocol

extension ReleaseReport {
    /// Shades on each side of nothing.
    private static let shades = 12

    /// How much of every task went into every layer.
    var coefficients: Markup? {
        guard !record.result.coefficients.isEmpty, !record.tasks.isEmpty else { return nil }
        let map = CoefficientMap(record.result.coefficients, tasks: record.tasks.map(\.name))
        let binned: Markup =
            map.columns.count < map.layerCount
            ? " Neighbouring layers are averaged, \(map.columns.count) columns for \(map.layerCount) layers; every one is in \(ReleaseContents.recordName)."
            : ""
        let rows = map.columns.map { column -> [Markup] in
            ["<code>\(column.name)</code>"] + column.means.map { "\(Figure.text($0, decimals: 3))" }
        }
        return """
            <section>
            <h2>Merge coefficients</h2>
            <p>How much of each task's change went into each layer, rows and columns of a tensor averaged. 0 is none of it, \
            1 all of it.\(binned)</p>
            \(picture(of: map))
            \(spread(map))
            \(ReportTable("Merge coefficients by layer and task.", ["layer"] + map.tasks.map { "#\($0)" }, rows)
                .folded("Every coefficient of the picture as a table"))
            </section>
            """
    }

    private func picture(of map: CoefficientMap) -> Markup {
        let (left, right, top) = (190.0, 710.0, 4.0)
        let height = map.tasks.count > 24 ? 12.0 : 20.0
        let bottom = top + height * Double(map.tasks.count)
        let width = (right - left) / Double(max(map.columns.count, 1))
        let labels = map.tasks.enumerated().map { place, task -> Markup in
            """
            <text class="label" x="\(Figure.place(left - 8))" y="\(Figure.place(top + height * (Double(place) + 0.5)))" \
            dy="4" text-anchor="end">\(Self.shortened(task))</text>

            """
        }
        let blocks = map.blocks.map { block -> Markup in
            let start = left + width * Double(block.columns.lowerBound)
            let end = left + width * Double(block.columns.upperBound)
            let label: Markup =
                end - start > 7 * Double(block.label.count) + 4
                ? """
                <text class="tick" x="\(Figure.place((start + end) / 2))" y="\(Figure.place(bottom + 14))" \
                text-anchor="middle">\(block.label)</text>
                """ : ""
            return "<path class=\"axis\" d=\"M\(Figure.place(start)) \(Figure.place(bottom))v5\"/>\(label)\n"
        }
        return """
            <figure>
            <svg viewBox="0 0 720 \(Figure.place(bottom + 34))" role="img" \
            aria-label="Merge coefficients over layers and tasks; the table below has the figures">
            \(labels)<svg x="\(Figure.place(left))" y="\(Figure.place(top))" width="\(Figure.place(right - left))" \
            height="\(Figure.place(bottom - top))" viewBox="0 0 \(map.columns.count) \(map.tasks.count)" \
            preserveAspectRatio="none" shape-rendering="crispEdges">
            \(cells(map))</svg>
            <path class="frame" d="M\(Figure.place(left)) \(Figure.place(top))H\(Figure.place(right))V\(Figure.place(bottom))\
            H\(Figure.place(left))z"/>
            \(blocks)<text class="tick" x="\(Figure.place((left + right) / 2))" y="\(Figure.place(bottom + 29))" \
            text-anchor="middle">layers, in the order of their names; numbers are those of blocks</text>
            </svg>
            <figcaption>\(legend(map))</figcaption>
            </figure>
            """
    }

    /// One path for each shade, with the cells of a row that stand side by side as one stroke.
    private func cells(_ map: CoefficientMap) -> [Markup] {
        var strokes: [Int: String] = [:]
        for task in map.tasks.indices {
            var place = 0
            while place < map.columns.count {
                let shade = shade(of: map.columns[place].means[task], map.limit)
                var end = place + 1
                while end < map.columns.count, self.shade(of: map.columns[end].means[task], map.limit) == shade {
                    end += 1
                }
                if shade != 0 { strokes[shade, default: ""] += "M\(place) \(task).5h\(end - place)" }
                place = end
            }
        }
        return strokes.sorted { $0.key < $1.key }.map { shade, path in
            "<path class=\"c \(shade > 0 ? "pos" : "neg")\" stroke-opacity=\"\(Self.opacity(abs(shade)))\" d=\"\(path)\"/>\n"
        }
    }

    private func shade(of value: Double?, _ limit: Double) -> Int {
        guard let value, value.isFinite else { return 0 }
        return Int((min(max(value / limit, -1), 1) * Double(Self.shades)).rounded())
    }

    private static func opacity(_ shade: Int) -> String { Figure.text(Double(shade) / Double(shades), decimals: 2) }

    private func legend(_ map: CoefficientMap) -> Markup {
        let steps = (-Self.shades...Self.shades).map { shade -> Markup in
            guard shade != 0 else { return "" }
            return """
                <path class="c \(shade > 0 ? "pos" : "neg")" stroke-opacity="\(Self.opacity(abs(shade)))" \
                d="M\(shade + Self.shades) .5h1"/>
                """
        }
        let ends = Figure.text(map.limit, decimals: 1)
        return """
            <span class="key">−\(ends) <svg class="ramp" viewBox="0 0 \(2 * Self.shades + 1) 1" preserveAspectRatio="none" \
            shape-rendering="crispEdges" aria-hidden="true">\(steps)</svg> \(ends)</span>
            """
    }

    private func spread(_ map: CoefficientMap) -> Markup {
        let rows = map.tasks.enumerated().map { place, task -> [Markup] in
            let values = record.result.coefficients.values.compactMap { $0.indices.contains(place) ? $0[place] : nil }
                .filter(\.isFinite).sorted()
            let mean = values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
            return [
                "\(task)", "\(Figure.text(mean))", "\(Figure.text(values.first))",
                "\(Figure.text(values.isEmpty ? nil : values[values.count / 2]))", "\(Figure.text(values.last))",
            ]
        }
        return ReportTable(
            "Spread over the \(map.layerCount) layers.", ["task", "#mean", "#least", "#median", "#greatest"], rows
        ).markup
    }
}
