import Foundation
import WorkerProtocol

/// Progress on standard error: a bar that is drawn over on a terminal, a plain line now and then elsewhere.
final class ProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var lastPlain = ContinuousClock.now - .seconds(60)
    private var lastPhase: WorkerEvent.Progress.Phase?

    func show(_ event: WorkerEvent) {
        guard case .progress(let progress) = event else { return }
        isTerminal ? draw(progress) : line(progress)
    }

    private func draw(_ progress: WorkerEvent.Progress) {
        let width = 30
        let filled = progress.total > 0 ? min(width, width * progress.done / progress.total) : 0
        let bar = String(repeating: "━", count: filled) + String(repeating: "─", count: width - filled)
        let end = progress.phase == .writing && progress.done == progress.total ? "\n" : ""
        write("\r\u{1B}[K\(Self.padded(progress.phase.rawValue)) \(bar) \(Self.figures(progress))\(end)")
    }

    private func line(_ progress: WorkerEvent.Progress) {
        let now = ContinuousClock.now
        guard progress.phase != lastPhase || progress.done == progress.total || now - lastPlain > .seconds(5) else {
            return
        }
        lastPhase = progress.phase
        lastPlain = now
        write("\(progress.phase.rawValue) \(Self.figures(progress))\n")
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    private static func padded(_ word: String) -> String { word.padding(toLength: 8, withPad: " ", startingAt: 0) }

    private static func figures(_ progress: WorkerEvent.Progress) -> String {
        var parts = ["\(progress.done)/\(progress.total)"]
        if let loss = progress.loss { parts.append("loss \(Console.fixed(loss, 4))") }
        if let heldOut = progress.heldOut { parts.append("held out \(Console.fixed(heldOut, 4))") }
        if let left = progress.secondsLeft { parts.append("\(Int(left.rounded(.up))) s left") }
        return parts.joined(separator: "  ")
    }
}
