import Ledger

/// Events on their way into the ledger, oldest first, and whether it takes them.
struct LedgerQueue: Sendable {
    /// What came of writing the oldest event.
    enum Outcome: Hashable, Sendable {
        case written
        /// The ledger takes no entry of that length.
        case tooLong
        case failed
    }

    private(set) var waiting: [LedgerEvent] = []
    /// Whether the last attempt to write failed; what is only being written right now is no failure.
    private(set) var isFailing = false
    /// Events since the start, for the metrics.
    private(set) var counts: [LedgerEvent.Kind: Int] = [:]

    var isEmpty: Bool { waiting.isEmpty }

    /// What is to be written next; nil where nothing waits.
    var next: LedgerEvent? { waiting.first }

    mutating func add(_ event: LedgerEvent) {
        counts[event.kind, default: 0] += 1
        waiting.append(event)
    }

    /// Takes in what came of writing `next`. An event that is too long is cut and stays the next one, one that failed
    /// waits for another attempt.
    mutating func handle(_ outcome: Outcome) {
        guard let first = waiting.first else { return }
        switch outcome {
        case .written:
            waiting.removeFirst()
            isFailing = false
        case .tooLong: waiting[0] = first.cut()
        case .failed: isFailing = true
        }
    }
}

extension LedgerEvent {
    /// What fits on a line whatever was said: the beginning of the message, and of the details only words and figures.
    func cut() -> LedgerEvent {
        var event = self
        event.message = String(message.unicodeScalars.prefix(4096)) + " … (cut)"
        event.details = details.filter { ($0.value.scalar?.utf8.count ?? .max) <= 4096 }
        return event
    }
}
