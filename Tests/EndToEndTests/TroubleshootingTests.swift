import Foundation
import Testing

/// `docs/troubleshooting.md` against the sources: what it quotes is what the programs say.
@Suite struct TroubleshootingTests {
    /// The first column of the page's tables.
    private func messages() throws -> [String] {
        let page = try String(
            contentsOf: Programs.package.appending(path: "docs/troubleshooting.md"), encoding: .utf8)
        return page.split(separator: "\n").filter { $0.hasPrefix("| `") }.flatMap { line in
            let column = line.dropFirst(2).prefix { $0 != "|" }
            return column.split(separator: "`").enumerated().filter { $0.offset % 2 == 0 }.map { String($0.element) }
                .filter { $0.contains { !$0.isWhitespace } && $0 != ", " }
        }
    }

    @Test func everyQuotedMessageIsInTheSources() throws {
        let literals = try SourceTexts().literals
        let messages = try messages()
        #expect(messages.count > 50)
        for message in messages {
            let pieces = message.components(separatedBy: "…").filter { !$0.isEmpty }
            #expect(literals.contains { Self.has($0, pieces) }, "no source says '\(message)'")
        }
    }

    @Test func whatNoSourceSaysIsFound() throws {
        let literals = try SourceTexts().literals
        #expect(!literals.contains { Self.has($0, ["the registry is made of cheese"]) })
    }

    /// Whether a text has all pieces, in their order.
    private static func has(_ text: String, _ pieces: [String]) -> Bool {
        var rest = text[...]
        for piece in pieces {
            guard let found = rest.range(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}
