internal import Foundation
package import WorkerProtocol

/// report.html of a release: one file for people that needs no network, no script and nothing beside it. A pure
/// function of its values: the same give the same bytes.
///
/// Size: tens of kilobytes for tens of tasks and hundreds of layers; the tables grow with tasks and files.
package struct ReleaseReport: Sendable {
    /// With every output but the report itself.
    let record: ReleaseRecord
    /// The release that was deployed before this one.
    let previous: ReleaseRecord?
    /// What was refused since then, oldest first; nil where nobody kept a ledger.
    let events: [ReportedEvent]?

    package init(record: ReleaseRecord, previous: ReleaseRecord? = nil, events: [ReportedEvent]? = nil) {
        self.record = record
        self.previous = previous
        self.events = events
    }

    package var html: String {
        let sections = [
            introduction, changes, scores, fit, tree, coefficients, similarity, refusals, provenance, verification,
        ]
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
            <title>\(Markup.escaped(title))</title>
            <style>
            \(Self.style)
            </style>
            </head>
            <body>
            <main>
            \(Markup(sections.compactMap(\.self)).html)
            </main>
            </body>
            </html>

            """
    }

    var title: String { record.version > 0 ? "Release \(record.version)" : "Merged model" }

    private var introduction: Markup {
        let origin: Markup
        if let source = record.rollbackOf {
            origin = """
                It repeats the content of release \(source), by the operator's rollback. The figures are those that were \
                measured when that content was made.
                """
        } else if record.version > 0 {
            origin = "Made by supermerged as merge <code>\(record.merge)</code> and published after its gate."
        } else {
            origin = "Made by hand with supermerge as merge <code>\(record.merge)</code>; no gate, nothing published."
        }
        return """
            <header>
            <h1>\(title)</h1>
            <p>One model for \(Figure.count(record.tasks.count, "task")), merged by \(record.settings.method.rawValue) on \
            <time datetime="\(record.created)">\(record.created)</time>. \(origin)</p>
            \(tiles)
            \(notes)
            </header>
            """
    }

    /// The figures that one looks for first.
    private var tiles: Markup {
        var tiles: [(String, String)] = []
        let scored = record.result.tasks.filter { $0.merged?.value.isFinite == true }
        let metrics = Set(scored.compactMap { $0.merged?.metric })
        if let metric = metrics.first, metrics.count == 1 {
            func mean(_ values: [Double?]) -> Double? {
                let known = values.compactMap(\.self)
                return known.count == values.count && !known.isEmpty ? known.reduce(0, +) / Double(known.count) : nil
            }
            if let mean = mean(scored.map { $0.merged?.value }) { tiles.append(("mean \(metric)", Figure.text(mean))) }
            if let mean = mean(scored.map { $0.own?.value }) { tiles.append(("own fine-tunes", Figure.text(mean))) }
            if let mean = mean(scored.map { $0.base?.value }) { tiles.append(("base", Figure.text(mean))) }
        }
        tiles.append(("time", Figure.duration(record.result.seconds)))
        if record.result.peakMemory > 0 { tiles.append(("memory at most", Figure.bytes(record.result.peakMemory))) }
        if let events { tiles.append(("refused on the way", String(events.count))) }
        let cells = tiles.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" as Markup }
        return "<dl class=\"tiles\">\(cells)</dl>"
    }

    private var notes: Markup {
        let notes = record.result.notes.map { "<li>\($0)</li>" as Markup }
        return notes.isEmpty ? "" : "<ul class=\"notes\">\(notes)</ul>"
    }

    /// What went in that had not, and the reverse.
    private var changes: Markup? {
        guard let previous else { return nil }
        let old = Dictionary(previous.tasks.map { ($0.name, $0.digest) }) { first, _ in first }
        let new = Dictionary(record.tasks.map { ($0.name, $0.digest) }) { first, _ in first }
        func item(_ what: String, _ names: [String]) -> Markup? {
            names.isEmpty ? nil : "<li>\(what): \(names.sorted().joined(separator: ", "))</li>"
        }
        var items = [
            item("new", new.keys.filter { old[$0] == nil }),
            item(
                "changed content",
                new.filter { old[$0.key].map { [value = $0.value] in $0 != value } == true }.map(\.key)),
            item("no longer in it", old.keys.filter { new[$0] == nil }),
        ].compactMap(\.self)
        if previous.base.digest != record.base.digest { items.append("<li>another base model</li>") }
        if previous.settings != record.settings { items.append("<li>other settings of the merge</li>") }
        if items.isEmpty { items = ["<li>the same tasks, base and settings</li>"] }
        return """
            <section>
            <h2>Against release \(previous.version)</h2>
            <ul>\(items)</ul>
            </section>
            """
    }

    private var refusals: Markup? {
        guard let events else { return nil }
        let since = previous.map { "since release \($0.version)" } ?? "so far"
        guard !events.isEmpty else {
            return "<section>\n<h2>Refused \(since)</h2>\n<p>Nothing.</p>\n</section>"
        }
        let rows = events.map { event -> [Markup] in
            ["\(event.time)", "\(event.by)", "\(event.task ?? "–")", "\(event.message)"]
        }
        return """
            <section>
            <h2>Refused \(since)</h2>
            \(ReportTable("What did not become part of this release, oldest first.", ["time", "by", "task", "why"], rows).markup)
            </section>
            """
    }
}
