internal import WorkerProtocol

extension ReleaseReport {
    /// Tasks that a matrix can show; of more the likest pairs are listed.
    private static let mostInMatrix = 32
    private static let listedPairs = 50

    /// How alike the task vectors are; nil where that was not measured.
    var similarity: Markup? {
        let names = Set(record.tasks.map(\.name))
        let pairs = record.result.similarities.filter {
            names.contains($0.first) && names.contains($0.second) && $0.cosine.isFinite
        }
        guard !pairs.isEmpty else { return nil }
        return """
            <section>
            <h2>Likeness of the tasks</h2>
            <p>Cosine of the task vectors (fine-tune minus base) over the shared layers: 1 is the same direction, 0 none in \
            common, below 0 against each other.</p>
            \(names.count <= Self.mostInMatrix ? matrix(pairs) : list(pairs))
            </section>
            """
    }

    private func matrix(_ pairs: [TaskSimilarity]) -> Markup {
        var cosines: [[String]: Double] = [:]
        for pair in pairs { cosines[[pair.first, pair.second]] = pair.cosine }
        let largest = max(pairs.map { abs($0.cosine) }.max() ?? 1, 0.25)
        let tasks = record.tasks.map(\.name)
        let rows = tasks.enumerated().map { place, task -> Markup in
            let cells = tasks.map { other -> Markup in
                if other == task { return "<td class=\"n none\">1</td>" }
                guard let cosine = cosines[[min(task, other), max(task, other)]] else {
                    return "<td class=\"n none\">–</td>"
                }
                let share = Figure.text(abs(cosine) / largest * 0.6, decimals: 2)
                let hue = cosine < 0 ? "neg" : "pos"
                return
                    "<td class=\"n\" style=\"background:rgba(var(--\(hue)),\(share))\">\(Figure.text(cosine, decimals: 3))</td>"
            }
            return "<tr><th scope=\"row\">\(place + 1). \(task)</th>\(cells)</tr>\n"
        }
        let head = tasks.indices.map { "<th scope=\"col\" class=\"n\">\($0 + 1)</th>" as Markup }
        return """
            <div class="wide"><table class="matrix">
            <caption>The columns are the tasks by their numbers. The stronger the colour, the further from 0.</caption>
            <thead><tr><th scope="col">task</th>\(head)</tr></thead>
            <tbody>
            \(rows)</tbody>
            </table></div>
            """
    }

    private func list(_ pairs: [TaskSimilarity]) -> Markup {
        let likest = pairs.sorted { ($1.cosine, $0.first, $0.second) < ($0.cosine, $1.first, $1.second) }
        let rows = likest.prefix(Self.listedPairs).map { pair -> [Markup] in
            ["\(pair.first)", "\(pair.second)", "\(Figure.text(pair.cosine))"]
        }
        return ReportTable(
            "The likest pairs, \(rows.count) of \(pairs.count); the others are in \(ReleaseContents.recordName).",
            ["task", "task", "#cosine"], rows
        ).markup
    }
}
