import Foundation
import Glibc
import Testing

/// The page of a real daemon with a history, in a real browser. `SUPERMERGE_PICTURES` names a folder for the pictures
/// of `docs/`.
@Suite(.enabled(if: Browser.program != nil, "Chromium is not installed (Debian's package chromium)"))
struct DashboardTests {
    private static let evil = "<img src=x onerror=document.title=1>"

    /// Releases, a refusal of each kind, a rollback, hooks, and at last a merge that does not end.
    private func makeHistory(_ site: Site) throws {
        try site.drop("cedar")
        try site.settle()
        try site.drop("amber", edit: GateTests.spoil)
        try site.settle(status: 3)
        try FileManager.default.createDirectory(
            atPath: site.registry + "/tasks/" + Self.evil, withIntermediateDirectories: true)
        try site.drop("dune") { folder in
            try Data("not safetensors".utf8).write(to: URL(filePath: folder + "/model.safetensors"))
        }
        try site.settle(status: 3)
        #expect(try site.control("rollback", "1").status == 0)
        #expect(try site.control("resume").status == 0)
        try site.rescan()
        #expect(site.current == "versions/4")
    }

    /// A fit that doesn't end, with the fourth task in it.
    private func startEndlessMerge(_ site: Site, _ daemon: DaemonProcess) throws {
        #expect(try site.control("pause").status == 0)
        try site.drop("amber")
        try site.drop("dune")
        try site.rescan()
        site.merge.merge(["steps": "1000000", "patience": "1000000"]) { _, new in new }
        try site.writeConfiguration(extra: hooks)
        let watch = try site.ledgerWatch()
        daemon.process.signal(SIGHUP)
        try watch.wait(for: "the configuration") { try site.ledger(.configurationLoaded).count == 2 }
        #expect(try site.control("resume").status == 0)
    }

    private let hooks = """
        hooks:
          - {name: chat-server, command: [/bin/echo, "model reloaded from {path}"]}
          - {name: batch-server, command: [/bin/sh, -c, "echo '<b>connection refused</b>'; exit 7"], retries: 0}

        """

    private func picture(_ name: String, _ browser: Browser, isWhole: Bool = false) throws {
        let folder = ProcessInfo.processInfo.environment["SUPERMERGE_PICTURES"]
        let path = try folder ?? TemporaryFolder().path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // The pictures show a deployment's usual place, not the test's.
        try browser.evaluate(
            """
            (walker => { while (walker.nextNode()) walker.currentNode.data =
              walker.currentNode.data.replaceAll(/[/]tmp[/]sm-e2e-[0-9A-F-]+/g, "/srv/supermerge"); })
              (document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT))
            """)
        try browser.screenshot("\(path)/\(name).png", isWhole: isWhole)
    }

    @Test func theWholeStoryIsReadAndOperatedByKeyboard() throws {
        let site = try Site()
        let port = freePort()
        site.keys["status"] = "{listen: '127.0.0.1:\(port)'}"
        try site.writeConfiguration(extra: hooks)
        try site.drop("amber")
        try site.drop("birch")
        let daemon = try site.start()
        try site.settle()
        try makeHistory(site)
        let browser = try Browser()
        try browser.show(width: 1280, height: 1180, isDark: false)
        try browser.open("http://127.0.0.1:\(port)/")
        try browser.wait(for: "document.documentElement.dataset.ready")
        #expect(try browser.text("#state .badge") == "idle")
        let hooks = try browser.text("#hooks-table")
        #expect(hooks.contains("chat-server") && hooks.contains("done") && hooks.contains("model reloaded from"))
        #expect(hooks.contains("<b>connection refused</b>") && hooks.contains("failed"))
        #expect(try browser.text("#problems").contains("hook-failed"))

        // The page follows.
        try startEndlessMerge(site, daemon)
        try browser.wait(
            for: "document.querySelectorAll('#merge .held').length && document.querySelector('#merge-table')")
        try browser.wait(for: "!document.querySelector('#merge').hidden")
        #expect(try browser.text("#merge").contains("4 tasks") && browser.text("#merge").contains("held-out loss"))
        #expect(try browser.text("#merge-table").contains("dune"))
        #expect(try browser.text("#state .badge") == "merging")

        let timeline = try browser.text("#timeline")
        for words in ["Release 1", "Release 2", "Rollback 3", "Refused by the gate", "Refused: dune", "Hook failed"] {
            #expect(timeline.contains(words), "\(words)")
        }
        #expect(try browser.text("#tasks").contains("cedar"))
        // Names from outside are words.
        #expect(try browser.text("main").contains(Self.evil))
        #expect(try browser.evaluate("document.querySelectorAll('img, b, main script').length") as? Int == 0)
        #expect(try browser.evaluate("document.title") as? String == "supermerged – supermerge")

        if ProcessInfo.processInfo.environment["SUPERMERGE_PICTURES"] != nil {
            try browser.wait(for: "parseInt(document.querySelector('#merge .tiles dd').textContent) > 90")
        }
        try picture("dashboard-light", browser)
        try browser.show(width: 1280, height: 1180, isDark: true)
        try picture("dashboard-dark", browser)
        let background = "getComputedStyle(document.body).backgroundColor"
        #expect(try browser.evaluate(background) as? String == "rgb(20, 23, 28)")

        try browser.show(width: 360, height: 780, isDark: false)
        #expect(try browser.evaluate("document.documentElement.scrollWidth") as? Int == 360)
        try picture("dashboard-phone", browser, isWhole: true)

        try useKeyboard(browser)
        #expect(browser.complaints == [])

        try browser.show(width: 1100, height: 1300, isDark: false)
        let link = try browser.evaluate("document.querySelector('#deployed a').href") as? String
        #expect(link == "http://127.0.0.1:\(port)/releases/4/report.html")
        try browser.open(try #require(link))
        #expect(try browser.text("h1") == "Release 4")
        try picture("report", browser)
        #expect(browser.complaints == [])
        #expect(try site.control("status", "--json").object()["activity"] as? String == "merging")
    }

    private func useKeyboard(_ browser: Browser) throws {
        try browser.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        let tab = { try browser.press("Tab", code: 9) }
        let focus = { try browser.evaluate("document.activeElement.getAttribute('href') ?? document.activeElement.id") }
        try tab()
        #expect(try focus() as? String == "#deployed")
        #expect(try browser.evaluate("document.activeElement.getBoundingClientRect().left >= 0") as? Bool == true)
        try tab()
        #expect(try focus() as? String == "#timeline")
        try browser.press("Enter", code: 13)
        try browser.evaluate("document.querySelector('.skip[href=\"#timeline\"]').click()")
        #expect(try focus() as? String == "timeline")
        try tab()
        #expect(try focus() as? String == "kinds")
        try browser.evaluate(
            "(k => { k.value = 'refusals'; k.dispatchEvent(new Event('change')); })(document.getElementById('kinds'))")
        let shown = try browser.text("#timeline ol")
        #expect(shown.contains("Refused by the gate") && !shown.contains("Release 1") && !shown.contains("Accepted"))
        // Everything that can be operated has a name, and every picture has words or stands beside them.
        let nameless = """
            [...document.querySelectorAll('a, button, select, summary, [tabindex="0"]')].filter(e =>
              !e.textContent.trim() && !e.getAttribute('aria-label') && !e.labels?.length).length
              + [...document.querySelectorAll('svg')].filter(e =>
              !e.hasAttribute('aria-hidden') && !e.getAttribute('aria-label')).length
            """
        #expect(try browser.evaluate(nameless) as? Int == 0)
        // What had the focus keeps it while the merge goes on and the page is drawn again.
        try browser.evaluate("document.querySelector('#merge-table').focus()")
        let done = try browser.text("#merge .tiles dd")
        try browser.wait(for: "document.querySelector('#merge .tiles dd').textContent !== '\(done)'")
        #expect(try focus() as? String == "merge-table")
    }
}
