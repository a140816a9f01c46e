import Foundation
import Releases

/// The page at `/`: what is deployed, what arrived and was refused, what a merge does, for a browser. One page, one
/// style sheet and one script, none of which asks anybody else; the script reads what the server answers to every
/// client, and puts strings into the page as text alone.
struct Dashboard: Sendable {
    /// Nothing from elsewhere, no frames, no forms, no script or style in the page itself.
    static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    /// report.html carries its style, and has no script.
    static let reportPolicy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    /// NAME of /etc/supermerge/NAME.yaml; may be empty.
    var deployment: String

    /// The file of this name; nil where the page has none. The page itself has the empty name.
    func answer(_ name: String) -> ControlAnswer? {
        let (text, type): (String, String)
        switch name {
        case "": (text, type) = (page, "text/html")
        case "dashboard.css": (text, type) = (Self.style, "text/css")
        case "dashboard.js": (text, type) = (Self.drawing + Self.sections + Self.script, "text/javascript")
        default: return nil
        }
        return ControlAnswer(
            status: .ok, body: Data(text.utf8), contentType: "\(type); charset=utf-8", policy: Self.policy)
    }

    private var page: String {
        let name = Markup.escaped(deployment.isEmpty ? "supermerge" : deployment)
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <title>\(name) – supermerge</title>
            <link rel="stylesheet" href="/dashboard.css"/>
            <link rel="icon" href="data:,"/>
            <script src="/dashboard.js" defer></script>
            </head>
            <body>
            <a class="skip" href="#deployed">To the deployed release</a>
            <a class="skip" href="#timeline">To the timeline</a>
            <header>
            <h1>\(name)</h1>
            <p id="state" role="status"><span class="badge">connecting</span></p>
            <p id="connection" role="alert"></p>
            </header>
            <main>
            <noscript><p class="box">This page needs its script. Without it: <a href="/status">status</a>,
            <a href="/health">health</a>, <a href="/history?last=100">history</a> as JSON.</p></noscript>
            <section id="problems" aria-labelledby="problems-title" hidden><h2 id="problems-title">What is wrong</h2>
            <div></div></section>
            <div class="columns"><div>
            <section id="merge" aria-labelledby="merge-title" hidden><h2 id="merge-title">Running merge</h2>
            <div></div></section>
            <section id="deployed" tabindex="-1" aria-labelledby="deployed-title"><h2 id="deployed-title">Deployed</h2>
            <div></div></section>
            <section id="hooks" aria-labelledby="hooks-title" hidden><h2 id="hooks-title">Servers</h2><div></div></section>
            <section id="tasks" aria-labelledby="tasks-title" hidden><h2 id="tasks-title">Tasks over the releases</h2>
            <div></div></section>
            </div><div>
            <section id="timeline" tabindex="-1" aria-labelledby="timeline-title"><h2 id="timeline-title">Timeline</h2>
            <p><label for="kinds">Show</label> <select id="kinds"><option value="">everything</option>
            <option value="releases">releases</option><option value="refusals">refusals and failures</option></select></p>
            <div></div></section>
            </div></div>
            </main>
            <footer><p>Read only; <code>supermergectl</code> does the rest. As data: <a href="/status">status</a>,
            <a href="/health">health</a>, <a href="/history?last=100">history</a>, <a href="/metrics">metrics</a>.
            <span id="updated"></span></p></footer>
            </body>
            </html>

            """
    }
}
