import Files
import Ledger

/// What `GET /timeline` answers: releases and what happened between them, gathered from the ledger, so that releases
/// that are gone still have their figures.
struct Timeline: Codable, Hashable, Sendable {
    struct Score: Codable, Hashable, Sendable {
        var task: String
        var metric: String
        var value: Double
        /// Of the release before, and of the base, on the same examples.
        var before: Double?
        var base: Double?
    }

    struct Release: Codable, Hashable, Sendable {
        var version: Int
        var time: String
        var rollbackOf: Int?
        var tasks: [String]
        /// Sorted by task; empty where the release was not judged.
        var scores: [Score]
        /// Whether its files, and its report, are still there.
        var isThere: Bool
    }

    struct Event: Codable, Hashable, Sendable {
        var sequence: Int
        var time: String
        var event: String
        var task: String?
        var version: Int?
        var message: String
    }

    /// Entries of the ledger that are looked through.
    static let mostEntries = 4000
    /// Events of one answer.
    static let mostEvents = 300
    private static let shown: Set<LedgerEvent.Kind> = [
        .accepted, .refused, .removed, .mergeFailed, .gated, .published, .rolledBack, .recovered, .hook,
        .hookFailed,
        .operatorAction, .configurationRejected, .submitted, .withdrawn, .canaryStarted, .promoted, .rejected,
        .checkFailed,
    ]

    /// Oldest first.
    var releases: [Release] = []
    /// Newest first.
    var events: [Event]

    /// `standing`: numbers of the releases whose folders are there.
    init(_ entries: [LedgerEntry], standing: Set<Int>) {
        events = entries.filter { Self.shown.contains($0.event) }.suffix(Self.mostEvents).reversed().map {
            Event(
                sequence: $0.sequence, time: $0.time, event: $0.event.rawValue, task: $0.task, version: $0.version,
                message: $0.message)
        }
        for entry in entries {
            let isPromotion = entry.event == .promoted && entry.details["kind"] == "canary"
            guard isPromotion || entry.event == .published || entry.event == .rolledBack, let version = entry.version
            else { continue }
            let source = entry.event == .rolledBack ? entry.details["source"]?.integer : nil
            var scores = Self.scores(entry.details["scores"])
            if scores.isEmpty, let source { scores = releases.last { $0.version == source }?.scores ?? [] }
            releases.append(
                Release(
                    version: version, time: entry.time, rollbackOf: source,
                    tasks: entry.details["tasks"]?.members.keys.sorted() ?? [], scores: scores,
                    isThere: standing.contains(version)))
        }
    }

    private static func scores(_ details: JSONValue?) -> [Score] {
        (details?.members ?? [:]).sorted { $0.key < $1.key }.compactMap { task, figures in
            let figures = figures.members
            guard let value = figures["after"]?.double else { return nil }
            return Score(
                task: task, metric: figures["metric"]?.scalar ?? "", value: value, before: figures["before"]?.double,
                base: figures["base"]?.double)
        }
    }
}
