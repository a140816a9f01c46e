import Foundation
import Testing

/// The map in CONTRIBUTING.md speaks of what is there.
struct ContributingMapTests {
    private let root = Programs.package

    @Test func everyNameIsATypeOrAFolder() throws {
        let page = try String(contentsOf: root.appending(path: "CONTRIBUTING.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix("The map\n") })
        #expect(section.split(separator: "\n", omittingEmptySubsequences: false).count <= 60)
        let known = try declaredNames()
        let quoted = Set(section.matches(of: /`([A-Z][A-Za-z]+)`/).map { String($0.1) })
        let drawn = Set(section.components(separatedBy: "```")[1].matches(of: /[A-Z][A-Za-z]+/).map { String($0.0) })
        #expect(quoted.count > 40 && drawn.count > 15)
        for name in quoted.union(drawn) { #expect(known.contains(name), "\(name) is neither a type nor a folder") }
    }

    /// Types that the sources declare, and folders.
    private func declaredNames() throws -> Set<String> {
        var names: Set = ["Sources"]
        let sources = root.appending(path: "Sources")
        let all = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        for case let url as URL in all {
            if url.hasDirectoryPath { names.insert(url.lastPathComponent) }
            guard url.pathExtension == "swift" else { continue }
            let text = try String(contentsOf: url, encoding: .utf8)
            for match in text.matches(of: /\b(?:struct|class|enum|actor|protocol) ([A-Z][A-Za-z0-9]*)/) {
                names.insert(String(match.1))
            }
        }
        return names
    }
}
