/// A table of the report: a caption, a header for every column, and the first cell of every row as its header.
struct ReportTable {
    var caption: String
    var columns: [(title: String, isNumber: Bool)]
    var rows: [[Markup]]

    /// Columns that begin with `#` hold numbers.
    init(_ caption: String, _ columns: [String], _ rows: [[Markup]]) {
        self.caption = caption
        self.columns = columns.map { $0.hasPrefix("#") ? (String($0.dropFirst()), true) : ($0, false) }
        self.rows = rows
    }

    var markup: Markup {
        let head = columns.map { column -> Markup in
            column.isNumber
                ? "<th scope=\"col\" class=\"n\">\(column.title)</th>" : "<th scope=\"col\">\(column.title)</th>"
        }
        let body = rows.map { row -> Markup in
            let cells = zip(row, columns).enumerated().map { place, cell -> Markup in
                if place == 0 { return "<th scope=\"row\">\(cell.0)</th>" }
                return cell.1.isNumber ? "<td class=\"n\">\(cell.0)</td>" : "<td>\(cell.0)</td>"
            }
            return "<tr>\(cells)</tr>\n"
        }
        return """
            <div class="wide"><table>
            <caption>\(caption)</caption>
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(body)</tbody>
            </table></div>
            """
    }

    /// Collapsed on the screen, open in print.
    func folded(_ summary: String) -> Markup { "<details><summary>\(summary)</summary>\n\(markup)\n</details>" }
}
