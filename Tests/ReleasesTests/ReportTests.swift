import Foundation
import FoundationXML
import Testing
import WorkerProtocol

@testable import Releases

@Suite struct ReportTests {
    private let record = ReportSamples.record()

    private var previous: ReleaseRecord {
        var previous = ReportSamples.record(tasks: ["questions", "retired", "topics", "toxicity"], version: 6)
        previous.tasks[0].digest = ReportSamples.digest("9")
        previous.settings.steps = 5
        return previous
    }

    private let events = [
        ReportedEvent(time: "2026-03-03T00:00:00.000Z", by: "the gate", task: "topics", message: "topics fell")
    ]

    @Test func everyPartIsThere() {
        let html = ReleaseReport(record: record, previous: previous, events: events).html
        for heading in [
            "<h1>Release 7</h1>", "<h2>Against release 6</h2>", "<h2>Tasks</h2>", "<h2>Fit</h2>",
            "<h2>Merge coefficients</h2>", "<h2>Likeness of the tasks</h2>", "<h2>Refused since release 6</h2>",
            "<h2>Provenance</h2>",
        ] { #expect(html.contains(heading), "\(heading)") }
        #expect(html.contains("<li>new: sentiment</li>"))
        #expect(html.contains("<li>changed content: questions</li>"))
        #expect(html.contains("<li>no longer in it: retired</li>"))
        #expect(html.contains("<li>other settings of the merge</li>"))
        #expect(html.contains("topics fell"))
        #expect(html.contains("<strong>0.7200</strong>") && html.contains("+0.0400") && html.contains("+3 −2"))
        for digest in ["a", "b", "e", "f"] { #expect(html.contains(ReportSamples.digest(digest))) }
        #expect(html.contains("learning-rate") && html.contains("supermergectl verify 7"))
    }

    @Test func theSameValuesGiveTheSameBytes() {
        var shuffled = record
        shuffled.result.coefficients = [:]
        for (layer, values) in record.result.coefficients.sorted(by: { $0.key > $1.key }) {
            shuffled.result.coefficients[layer] = values
        }
        #expect(ReleaseReport(record: record).html == ReleaseReport(record: shuffled).html)
    }

    @Test func itIsWellFormedAndNeedsNothingFromOutside() throws {
        let html = ReleaseReport(record: record, previous: previous, events: events).html
        try Self.parse(html)
        for word in ["http:", "https:", "//", "<script", "<link", "<img", "src=", "url(", "@import"] {
            #expect(!html.contains(word), "\(word)")
        }
    }

    /// Pictures have `role="img"`; the marks of their legends are hidden from those who can't see them.
    @Test func everyPictureStandsBesideATable() throws {
        let html = ReleaseReport(record: record, previous: previous, events: events).html
        let sections = html.components(separatedBy: "<section>")
        #expect(sections.filter { $0.contains("role=\"img\"") }.count == 3)
        for section in sections where section.contains("role=\"img\"") {
            #expect(section.contains("aria-label=") && section.contains("<table>"))
        }
    }

    @Test func textFromOutsideCantBecomeMarkup() throws {
        let evil = "</td><script>alert('x')</script>&\"\u{1B}[2J\u{202E}\u{0}"
        var record = ReportSamples.record(tasks: [evil])
        record.merge = evil
        record.created = evil
        record.base.files[0].name = evil
        record.base.digest = evil
        record.result.notes = [evil]
        record.result.versions = [evil: evil]
        record.result.coefficients[evil] = [0.5]
        record.result.strategy?.reason = evil
        record.result.tasks[0].merged?.metric = evil
        record.result.tree = [
            TreeNode(
                digest: evil, children: [evil], sources: [], tasks: [evil], steps: 1, bestStep: 1, heldOut: nil,
                isReused: false)
        ]
        let events = [ReportedEvent(time: evil, by: evil, task: evil, message: evil)]
        let html = ReleaseReport(record: record, previous: previous, events: events).html
        try Self.parse(html)
        #expect(!html.contains("<script"))
        for scalar in html.unicodeScalars where scalar != "\n" {
            #expect(scalar.value >= 0x20 && scalar != "\u{202E}", "U+\(String(scalar.value, radix: 16))")
        }
        #expect(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"))
    }

    @Test(arguments: [
        Double.nan, .infinity, -.infinity, .greatestFiniteMagnitude, -1e300, Double.leastNonzeroMagnitude, 0,
    ])
    func numbersFromAnywhereAreDrawnOrLeftOut(_ number: Double) throws {
        var record = record
        for task in record.result.tasks.indices {
            record.result.tasks[task].base?.value = number
            record.result.tasks[task].merged?.value = number
            record.result.tasks[task].merged?.loss = number
        }
        for point in record.result.curve.indices {
            record.result.curve[point].loss = number
            record.result.curve[point].heldOut = number
        }
        record.result.coefficients = record.result.coefficients.mapValues { $0.map { _ in number } }
        record.result.similarities = [TaskSimilarity(first: "questions", second: "topics", cosine: number)]
        record.result.seconds = number
        let html = ReleaseReport(record: record, previous: previous, events: events).html
        try Self.parse(html)
        #expect(!html.contains(/\b(nan|inf)\b/))
    }

    @Test func aReleaseWithoutAnythingIsAReportToo() throws {
        let record = ReleaseRecord(
            version: 0, created: "", merge: "", settings: MergeSettings(),
            base: BaseSource(directory: "", files: [], digest: ""), tasks: [], result: MergeResult(tasks: []))
        let html = ReleaseReport(record: record).html
        try Self.parse(html)
        #expect(html.contains("<h1>Merged model</h1>") && html.contains("nothing was measured"))
        #expect(!html.contains("Refused"))
    }

    @Test func manyLayersAndTasksStaySmall() {
        let names = (0..<20).map { "task-\($0)" }
        let html = ReleaseReport(record: ReportSamples.record(tasks: names, layers: 200, points: 5000)).html
        #expect(html.utf8.count < 300_000, "\(html.utf8.count) bytes")
        let wide = ReleaseReport(record: ReportSamples.record(tasks: names, layers: 4000)).html
        #expect(wide.utf8.count < 400_000, "\(wide.utf8.count) bytes")
        #expect(wide.contains("240 columns for 4000 layers"))
    }

    private static func parse(_ html: String) throws {
        let parser = XMLParser(data: Data(html.utf8))
        try #require(parser.parse(), "line \(parser.lineNumber): \(parser.parserError.map { "\($0)" } ?? "")")
    }
}
