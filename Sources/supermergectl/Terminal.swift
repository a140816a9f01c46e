import Foundation
import Glibc

/// Results on standard output, everything else on standard error; bold only where a terminal shows it.
enum Terminal {
    static let isTerminal = isatty(STDOUT_FILENO) == 1

    static func print(_ text: String) { Swift.print(printable(text)) }

    static func error(_ text: String) {
        FileHandle.standardError.write(Data("supermergectl: \(printable(text))\n".utf8))
    }

    /// Without what would steer the terminal: names of files in the registry are anybody's.
    static func printable(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control && scalar != "\n" ? "\u{FFFD}" : scalar
        }
        return String(String.UnicodeScalarView(scalars))
    }

    /// Columns as wide as their widest cell, two spaces between them; the last is never padded.
    static func table(_ header: [String], _ rows: [[String]]) {
        guard !rows.isEmpty else { return }
        let rows = rows.map { row in row.map { printable($0).replacing("\n", with: " ") } }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            let last = cells.lastIndex { !$0.isEmpty } ?? 0
            return cells.prefix(last + 1).enumerated().map { index, cell in
                index == last ? cell : cell.padding(toLength: widths[index], withPad: " ", startingAt: 0)
            }.joined(separator: "  ")
        }
        Swift.print(isTerminal ? "\u{1B}[1m\(line(header))\u{1B}[0m" : line(header))
        for row in rows { Swift.print(line(row)) }
    }

    static func number(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "-" }
}
