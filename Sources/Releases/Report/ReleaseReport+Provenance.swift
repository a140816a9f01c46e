internal import Foundation
internal import WorkerProtocol

extension ReleaseReport {
    /// What went in, by whom and when, with what settings and what computed it, and what came out.
    var provenance: Markup {
        let maker =
            record.rollbackOf != nil
            ? "supermerged, told to roll back" : record.version > 0 ? "supermerged" : "supermerge, by hand"
        var facts: [(String, String)] = [
            ("made", record.created), ("by", maker), ("merge", record.merge),
            ("method", record.settings.method.rawValue), ("seed", String(record.settings.seed)),
            ("took", Figure.duration(record.result.seconds)),
        ]
        facts += record.result.versions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let inputs =
            [Self.table("Files of the base.", record.base.files)]
            + record.tasks.map { Self.table("Files of task \($0.name).", $0.files) }
        return """
            <section>
            <h2>Provenance</h2>
            \(Self.pairs("Who, when and with what.", facts))
            \(Self.pairs("Settings of the merge.", settings))
            <h3>Inputs</h3>
            \(Self.digests("Each digest is that of the files' names and digests together.", [("base", record.base.digest)]
                + record.tasks.map { ($0.name, $0.digest) }))
            <details><summary>Every file that went in</summary>
            \(inputs)</details>
            <h3>Outputs</h3>
            <details><summary>Every file of the release but this one and \(ReleaseContents.recordName)</summary>
            \(Self.table("Files of the release.", record.result.outputs))
            </details>
            </section>
            """
    }

    var verification: Markup {
        let command: Markup =
            record.version > 0
            ? " Beside the service, <code>supermergectl verify \(record.version)</code> does it." : ""
        return """
            <footer>
            <p>Everything here, and more digits of it, is in <code>\(ReleaseContents.recordName)</code> beside this file, with \
            the SHA-256 of all that went in and came out: <code>jq -r '.result.outputs[] | .sha256 + "  " + .name' \
            \(ReleaseContents.recordName) | sha256sum -c</code>.\(command)</p>
            </footer>
            """
    }

    private var settings: [(String, String)] {
        record.settings.named.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static func pairs(_ caption: String, _ pairs: [(String, String)]) -> Markup {
        ReportTable(caption, ["what", "value"], pairs.map { ["\($0.0)", "\($0.1)"] }).markup
    }

    private static func digests(_ caption: String, _ digests: [(String, String)]) -> Markup {
        ReportTable(caption, ["input", "SHA-256"], digests.map { ["\($0.0)", "<code>\($0.1)</code>"] }).markup
    }

    private static func table(_ caption: String, _ files: [SourceFile]) -> Markup {
        let rows = files.sorted { $0.name < $1.name }.map { file -> [Markup] in
            ["\(file.name)", "\(Figure.bytes(file.bytes))", "<code>\(file.sha256.isEmpty ? "–" : file.sha256)</code>"]
        }
        return ReportTable(caption, ["file", "#size", "SHA-256"], rows).markup
    }
}
