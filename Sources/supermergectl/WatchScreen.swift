import Control
import Ledger

/// The refreshing screen of `watch`, on the terminal's other page.
final class WatchScreen: Sendable {
    init() { Terminal.write("\u{1B}[?1049h\u{1B}[?25l") }

    /// Gives the terminal back as it was.
    func close() { Terminal.write("\u{1B}[?25h\u{1B}[?1049l") }

    /// Everything in one write, each line cut to the window, so that nothing flickers.
    func draw(_ status: DaemonStatus, _ recent: [LedgerEntry], isAway: Bool) {
        let window = Terminal.window ?? (24, 80)
        let shown = min(max(4, window.rows / 3), recent.count)
        let title = isAway ? "the daemon does not answer; trying again" : "supermergectl watch, Ctrl-C ends it"
        var lines = [Terminal.styled(title, isAway ? .bad : .soft)]
        lines += StatusLines(status: status).text(rows: window.rows - shown - 4)
        lines.append("")
        lines += recent.suffix(shown).map { entry in
            let text = Terminal.printable(WatchCommand.line(entry)).replacing("\n", with: " ")
            switch entry.event {
            case .refused, .gated, .rejected, .checkFailed, .mergeFailed, .configurationRejected, .recovered:
                return Terminal.styled(text, .bad)
            case .published, .promoted, .rolledBack: return Terminal.styled(text, .good)
            default: return text
            }
        }
        let page = lines.prefix(window.rows).map { Self.cut($0, to: window.columns) + "\u{1B}[K" }
        Terminal.write("\u{1B}[H" + page.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// At most `columns` characters, the last of them `…` where there are more; styles count nothing and are kept, so
    /// that each is ended.
    static func cut(_ line: String, to columns: Int) -> String {
        var pieces: [(text: String, isStyle: Bool)] = []
        var isStyle = false
        for character in line {
            if character == "\u{1B}" { isStyle = true }
            pieces.append((String(character), isStyle))
            if character == "m" { isStyle = false }
        }
        let places = pieces.indices.filter { !pieces[$0].isStyle }
        guard places.count > columns, columns > 0 else { return line }
        pieces[places[columns - 1]].text = "…"
        for place in places[columns...] { pieces[place].text = "" }
        return pieces.map(\.text).joined()
    }
}
