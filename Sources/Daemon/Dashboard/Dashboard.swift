import Foundation
import Releases

/// The page at `/`, made of the files in `Page`: what is deployed, what arrived and was refused, what a merge does. One
/// page, one style sheet and one script, none of which asks anybody else; the script reads what the server answers to
/// every client, and puts strings into the page as text alone.
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

    private static let template = text(PackageResources.dashboard_html)
    private static let style = Data(PackageResources.dashboard_css)
    /// Elements and pictures, then one function for each section, then the loop that asks the daemon: one script.
    private static let script = Data(
        PackageResources.drawing_js + PackageResources.sections_js + PackageResources.follow_js)

    /// The file of this name; nil where the page has none. The page itself has the empty name.
    func answer(_ name: String) -> ControlAnswer? {
        let (body, type): (Data, String)
        switch name {
        case "": (body, type) = (Data(page.utf8), "text/html")
        case "dashboard.css": (body, type) = (Self.style, "text/css")
        case "dashboard.js": (body, type) = (Self.script, "text/javascript")
        default: return nil
        }
        return ControlAnswer(status: .ok, body: body, contentType: "\(type); charset=utf-8", policy: Self.policy)
    }

    private var page: String {
        Self.template.replacing("{{deployment}}", with: Markup.escaped(deployment.isEmpty ? "supermerge" : deployment))
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
