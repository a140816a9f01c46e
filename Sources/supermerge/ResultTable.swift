import WorkerProtocol

/// A merge's result for people: one line a task.
enum ResultTable {
    static func text(_ record: ReleaseRecord) -> String {
        let header = ["task", "metric", "base", "own", "merged", "held out"]
        let rows = record.result.tasks.map { task in
            [
                task.task, task.merged?.metric ?? "-", value(task.base), value(task.own), value(task.merged),
                task.merged.map { "\($0.examples)" } ?? "-",
            ]
        }
        let table = Columns.aligned([header] + rows)
        let best = record.result.steps > 0 ? ", best step \(record.result.bestStep) of \(record.result.steps)" : ""
        let seconds = Console.fixed(record.result.seconds, 1)
        let memory = record.result.peakMemory >> 20
        return table + "\n\(record.settings.method.rawValue): \(seconds) s, \(memory) MiB at most\(best)"
    }

    private static func value(_ score: Score?) -> String { score.map { Console.fixed($0.value, 4) } ?? "-" }
}
