import Foundation
import Glibc
import WorkerProtocol

/// Results on standard output, everything else on standard error; bold and colour only where a terminal shows them.
enum Terminal {
    static let isTerminal = isatty(STDOUT_FILENO) == 1

    /// Whether to colour: on a terminal that can, unless the user said no (no-color.org).
    static let hasColour: Bool = {
        let environment = ProcessInfo.processInfo.environment
        let isRefused = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return isTerminal && !isRefused && environment["TERM"] != "dumb"
    }()

    enum Style: String {
        case bold = "1"
        case good = "32"
        case bad = "31"
        case soft = "2"
        case notable = "33"
    }

    /// The text with a style around it, where colours are shown.
    static func styled(_ text: String, _ style: Style) -> String {
        hasColour ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// One write for each call, so that the reader of a pipe sees it at once.
    static func print(_ text: String) { write(printable(text) + "\n") }

    /// Text that was made here, with its styles.
    static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    static func error(_ text: String) {
        FileHandle.standardError.write(Data("supermergectl: \(printable(text))\n".utf8))
    }

    /// Without what would steer the terminal: names of files in the registry are anybody's.
    static func printable(_ text: String) -> String { text.withVisibleControls(keepingLines: true) }

    static func table(_ header: [String], _ rows: [[String]]) {
        for line in lines(header, rows) { write(line + "\n") }
    }

    /// Columns as wide as their widest cell, two spaces between them; the last is never padded. `styles`: of whole
    /// rows.
    static func lines(_ header: [String], _ rows: [[String]], styles: [Style?] = []) -> [String] {
        guard !rows.isEmpty else { return [] }
        let rows = rows.map { row in row.map { printable($0).replacing("\n", with: " ") } }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            let last = cells.lastIndex { !$0.isEmpty } ?? 0
            return cells.prefix(last + 1).enumerated().map { index, cell in
                index == last ? cell : cell.padding(toLength: widths[index], withPad: " ", startingAt: 0)
            }.joined(separator: "  ")
        }
        return [styled(line(header), .bold)]
            + rows.enumerated().map { place, row in
                guard styles.indices.contains(place), let style = styles[place] else { return line(row) }
                return styled(line(row), style)
            }
    }

    static func number(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "-" }

    /// With its sign; a dash where either is missing.
    static func change(_ before: Double?, _ after: Double?) -> String {
        guard let before, let after else { return "-" }
        return String(format: "%+.4f", after - before)
    }

    static func duration(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds.isFinite ? seconds : 0, 0), 1e9).rounded(.up))
        if whole < 60 { return "\(whole) s" }
        return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole / 60 % 60) min"
    }

    static func bytes(_ count: Int64) -> String {
        let (unit, size): (String, Int64) =
            count < 1 << 20 ? ("KiB", 1 << 10) : count < 1 << 30 ? ("MiB", 1 << 20) : ("GiB", 1 << 30)
        return count < 1 << 10 ? "\(count) B" : String(format: "%.1f \(unit)", Double(count) / Double(size))
    }

    /// Rows and columns of the window; nil where there is none.
    static var window: (rows: Int, columns: Int)? {
        var size = winsize()
        guard isTerminal, unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0
        else {
            return nil
        }
        return (Int(size.ws_row), Int(size.ws_col))
    }
}
