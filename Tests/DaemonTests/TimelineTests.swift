import Control
import Files
import Foundation
import Ledger
import NIOHTTP1
import Testing
import WorkerProtocol

@testable import Daemon

/// What the dashboard is made of.
@Suite(.timeLimit(.minutes(20)))
struct TimelineTests {
    private func entries(_ events: [LedgerEvent]) -> [LedgerEntry] {
        events.enumerated().map { LedgerEntry($1, sequence: $0, time: "2026-01-01T00:00:0\($0)Z", previous: "") }
    }

    private func scores(_ values: [String: Double]) -> JSONValue {
        .object(
            values.mapValues {
                .object(["metric": "accuracy", "after": .number($0), "before": 0.5, "base": .integer(0)])
            })
    }

    @Test func releasesHaveTheFiguresThatTheGateSaw() throws {
        let timeline = Timeline(
            entries([
                LedgerEvent(.scanned, message: "looked"),
                LedgerEvent(
                    .published, version: 1, message: "one",
                    details: ["scores": scores(["b": 0.75, "a": 1]), "tasks": .object(["b": "x", "a": "y"])]),
                LedgerEvent(.gated, task: "c", message: "no", details: ["scores": scores(["c": 0])]),
                LedgerEvent(.published, version: 2, message: "two", details: ["scores": "nonsense", "tasks": 7]),
                LedgerEvent(.rolledBack, version: 3, message: "back", details: ["source": 1]),
            ]), standing: [2, 3])
        #expect(
            timeline.releases.map(\.version) == [1, 2, 3] && timeline.releases.map(\.isThere) == [false, true, true])
        #expect(timeline.releases[0].tasks == ["a", "b"])
        #expect(
            timeline.releases[0].scores == [
                .init(task: "a", metric: "accuracy", value: 1, before: 0.5, base: 0),
                .init(task: "b", metric: "accuracy", value: 0.75, before: 0.5, base: 0),
            ])
        #expect(timeline.releases[1].scores.isEmpty && timeline.releases[1].tasks.isEmpty)
        #expect(timeline.releases[2].scores == timeline.releases[0].scores && timeline.releases[2].rollbackOf == 1)
        #expect(timeline.events.map(\.event) == ["rolled-back", "published", "gated", "published"])
        #expect(timeline.events.map(\.sequence) == [4, 3, 2, 1])
    }

    @Test func aLongHistoryIsBounded() {
        let many = (0..<1000).map { LedgerEvent(.accepted, task: "t", message: "\($0)") }
        let events = Timeline(entries(many), standing: []).events
        #expect(events.count == Timeline.mostEvents && events.first?.sequence == 999)
    }

    private func stand(_ body: (ControlRoutes, DaemonStand) async throws -> Void) async throws {
        let stand = try DaemonStand(Samples.snapshot([]))
        defer { stand.remove() }
        stand.drop("a")
        try await stand.live { daemon in
            _ = await daemon.rescan(wait: true)
            try await body(ControlRoutes(reconciler: daemon, deployment: "<main> & \"co\""), stand)
        }
    }

    private func get(
        _ routes: ControlRoutes, _ line: String, _ headers: HTTPHeaders = [:]
    ) async throws -> ControlAnswer {
        let words = line.split(separator: " ").map(String.init)
        return await routes.answer(
            ControlRequest(
                HTTPRequestHead(
                    version: .http1_1, method: HTTPMethod(rawValue: words[0]), uri: words[1], headers: headers)))
    }

    @Test func thePageAsksNobodyElseAndRunsNothingInside() async throws {
        try await stand { routes, _ in
            let page = try await get(routes, "GET /")
            let text = String(decoding: page.body, as: UTF8.self)
            #expect(page.status == .ok && page.contentType == "text/html; charset=utf-8")
            #expect(text.contains("<h1>&lt;main&gt; &amp; &quot;co&quot;</h1>"))
            #expect(!text.contains("style=") && !text.contains("<style") && !text.contains("://"))
            #expect(text.components(separatedBy: "<script").count == 2 && text.contains("<script src="))
            let policy = try #require(page.head.headers.first(name: "Content-Security-Policy"))
            #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; "))
            let script = String(decoding: try await get(routes, "GET /dashboard.js").body, as: UTF8.self)
            for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("] {
                #expect(!script.contains(word))
            }
            #expect(script.replacing("http://www.w3.org/2000/svg", with: "").contains("://") == false)
        }
    }

    @Test func reportsAreReadByNumberOnly() async throws {
        try await stand { routes, stand in
            let report = try await get(routes, "GET /releases/1/report.html")
            #expect(report.status == .ok && String(decoding: report.body, as: UTF8.self).contains("<h1>Release 1</h1>"))
            #expect(report.policy == Dashboard.reportPolicy)
            for path in [
                "/releases/0/report.html", "/releases/-1/report.html", "/releases/1/release.json",
                "/releases/../report.html", "/releases/1%2F..%2F1/report.html", "/releases/01x/report.html",
                "/releases/9/report.html", "/releases/1/../../state/ledger.jsonl",
                "/releases/99999999999999999999/report.html",
            ] { #expect(try await get(routes, "GET \(path)").status != .ok, "\(path)") }
            let versions = stand.configuration.deploy + "/versions"
            try FileManager.default.createDirectory(atPath: versions + "/7", withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: versions + "/7/report.html", withDestinationPath: "/etc/passwd")
            #expect(try await get(routes, "GET /releases/7/report.html").status == .notFound)
        }
    }

    @Test func aPageInABrowserCantCommand() async throws {
        try await stand { routes, _ in
            for origin in ["http://localhost:9464", "https://evil.example", "null"] {
                let answer = try await get(routes, "POST /pause", ["Origin": origin])
                #expect(answer.status == .forbidden)
            }
            #expect(await routes.reconciler.status().activity == .idle)
            #expect(try await get(routes, "POST /pause").status == .ok)
        }
    }
}
