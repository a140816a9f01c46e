import ArgumentParser
import Control
import Foundation
import Ledger
import WorkerProtocol

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "See what the daemon does while it does it, until Ctrl-C.",
        discussion: """
            On a terminal one screen that refreshes, elsewhere a line for everything that happens, with --json one object a \
            line: {"entry": …} for what the ledger notes, {"status": …} when the status changes. A daemon that goes away is \
            waited for.
            """)

    @OptionGroup var connection: Connection

    @Option(help: "Ledger entries from before to begin with.")
    var last = 10

    func validate() throws {
        guard last >= 0 else { throw ValidationError("--last is a number of entries, at least 0") }
    }

    func run() async throws {
        let screen = Terminal.isTerminal && !connection.json ? WatchScreen() : nil
        let stop = StopOnSignal { screen?.close() }
        defer { stop.disarm() }
        var watch = WatchState(last: last)
        while true {
            do {
                let body = try await connection.send("GET", watch.path)
                let reply = try connection.decode(LongPollReply.self, body)
                let news = watch.take(reply)
                if let screen {
                    screen.draw(reply.status, watch.recent, isAway: false)
                } else {
                    try Self.tell(news, json: connection.json)
                }
            } catch let failure as CommandFailure {
                // Nobody there at the start is a mistake; later the daemon is being restarted.
                guard let status = watch.status else {
                    screen?.close()
                    throw failure
                }
                if screen == nil, !watch.isAway { Terminal.error(failure.message) }
                watch.lose()
                screen?.draw(status, watch.recent, isAway: true)
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private struct EntryLine: Encodable { var entry: LedgerEntry }
    private struct StatusLine: Encodable { var status: DaemonStatus }

    private static func tell(_ news: WatchState.News, json: Bool) throws {
        for entry in news.entries {
            if json {
                Terminal.print(String(decoding: try JSON.encode(EntryLine(entry: entry)), as: UTF8.self))
            } else {
                Terminal.print(line(entry))
            }
        }
        guard let status = news.status else { return }
        if json {
            Terminal.print(String(decoding: try JSON.encode(StatusLine(status: status)), as: UTF8.self))
        } else if let merge = news.progress {
            var parts = ["\(merge.phase) \(merge.done)/\(merge.total)"]
            if let loss = merge.loss { parts.append("loss \(Terminal.number(loss))") }
            if let heldOut = merge.heldOut { parts.append("held out \(Terminal.number(heldOut))") }
            for score in merge.heldOut == nil ? [] : merge.scores {
                parts.append("\(score.task) \(Terminal.number(score.value))")
            }
            if let left = merge.secondsLeft { parts.append("\(Terminal.duration(left)) left") }
            Terminal.print("merge \(merge.merge): \(parts.joined(separator: ", "))")
        } else if news.isActivityNew {
            Terminal.print("\(status.activity.rawValue): \(status.message)")
        }
    }

    static func line(_ entry: LedgerEntry) -> String {
        "\(entry.time)  \(entry.event.rawValue)  \(entry.message.replacing("\n", with: " "))"
    }
}
