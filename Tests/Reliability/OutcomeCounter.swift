import Foundation
import Synchronization

/// Counts how the trials of one suite ended. With `RELIABILITY_OUT` naming a folder, `write` leaves them there as
/// `<suite>.json`, from which docs/reliability.md is made.
package final class OutcomeCounter: Sendable {
    private struct Page: Encodable {
        var suite: String
        var what: String
        var tried: Int
        var outcomes: [String: Int]
        /// Those of the outcomes that must stay at 0.
        var forbidden: [String]
        var date: String
        var machine: String
    }

    private let suite: String
    private let what: String
    private let forbidden: [String]
    private let outcomes: Mutex<[String: Int]>

    /// `suite` names the file, `what` says in one sentence what was tried; `forbidden` are outcomes that must not
    /// occur.
    package init(_ suite: String, _ what: String, forbidden: [String] = []) {
        (self.suite, self.what, self.forbidden) = (suite, what, forbidden)
        outcomes = Mutex(Dictionary(uniqueKeysWithValues: forbidden.map { ($0, 0) }))
    }

    package func note(_ outcome: String, _ count: Int = 1) { outcomes.withLock { $0[outcome, default: 0] += count } }

    /// How often a trial ended like this.
    package func count(_ outcome: String) -> Int { outcomes.withLock { $0[outcome] ?? 0 } }

    package var tried: Int { outcomes.withLock { $0.values.reduce(0, +) } }

    /// Whether nothing forbidden occurred and something was tried.
    package var isGood: Bool { tried > 0 && forbidden.allSatisfy { count($0) == 0 } }

    package func write() throws {
        guard let folder = ProcessInfo.processInfo.environment["RELIABILITY_OUT"], !folder.isEmpty else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // Under the lock: of tests that run side by side, the one that counted last has to be the last to write.
        try outcomes.withLock { outcomes in
            let page = Page(
                suite: suite, what: what, tried: outcomes.values.reduce(0, +), outcomes: outcomes, forbidden: forbidden,
                date: Date().formatted(.iso8601.year().month().day()), machine: Self.machine)
            try (encoder.encode(page) + Data("\n".utf8)).write(to: URL(filePath: "\(folder)/\(suite).json"))
        }
    }

    /// The processor and the number of its cores, as in docs/benchmarks.json.
    private static var machine: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let field = { (name: String) in
            text.split(separator: "\n").first { $0.hasPrefix(name + "\t") }?
                .split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? "?"
        }
        return "\(field("model name")), model \(field("model")), \(ProcessInfo.processInfo.processorCount) cores"
    }
}
