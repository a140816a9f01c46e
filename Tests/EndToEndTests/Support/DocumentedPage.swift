import Foundation

/// A page of the documentation: its blocks of commands, and what each is said to show.
struct DocumentedPage {
    /// A block that begins with three backquotes and `sh`; `<!-- shows: a, b -->` behind it tells what has to be in its
    /// output.
    struct Block {
        var commands: [String]
        var shows: [String]
    }

    /// Path within the package.
    let name: String
    let blocks: [Block]

    var commands: [String] { blocks.flatMap(\.commands) }

    /// `README.md`, and all that lies in `docs`.
    static func all() throws -> [DocumentedPage] {
        let files = FileManager.default.enumerator(atPath: Programs.package.appending(path: "docs").path)
        let names = (files?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".md") }.map { "docs/" + $0 }
        return try (["README.md"] + names.sorted()).map { try DocumentedPage($0) }
    }

    init(_ name: String) throws {
        self.name = name
        let text = try String(contentsOf: Programs.package.appending(path: name), encoding: .utf8)
        blocks = text.components(separatedBy: "```sh\n").dropFirst().map { part in
            let halves = part.components(separatedBy: "```\n")
            let after = halves.dropFirst().first ?? ""
            var shows: [String] = []
            if after.hasPrefix("<!-- shows: "), let end = after.range(of: " -->") {
                shows = after[..<end.lowerBound].dropFirst("<!-- shows: ".count).components(separatedBy: ", ")
            }
            let lines = halves[0].replacing("\\\n", with: " ").split(separator: "\n")
            return Block(commands: lines.compactMap { Self.command(String($0)) }, shows: shows)
        }
    }

    /// A line without its comment; nil where nothing else is in it.
    private static func command(_ line: String) -> String? {
        let code = line.firstRange(of: /(^|\s+)# .*$/).map { String(line[..<$0.lowerBound]) } ?? line
        return code.allSatisfy(\.isWhitespace) ? nil : code
    }
}
