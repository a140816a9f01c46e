import Foundation
import Testing

/// SECURITY.md names the suites that show what it says.
@Suite struct SecurityPageTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func namesOnlySuitesThatExist() throws {
        let page = try String(contentsOf: Self.root.appending(path: "SECURITY.md"), encoding: .utf8)
        let named = Set(page.matches(of: /`([A-Z][A-Za-z]+Tests)`/).map { String($0.output.1) })
        #expect(named.count > 15)
        let tests = Self.root.appending(path: "Tests").path
        let files = try FileManager.default.subpathsOfDirectory(atPath: tests).filter { $0.hasSuffix(".swift") }
        let sources = try files.map { try String(contentsOfFile: "\(tests)/\($0)", encoding: .utf8) }
        for name in named {
            #expect(sources.contains { $0.contains("struct \(name) ") }, "SECURITY.md names \(name), which is no suite")
        }
    }

    @Test func everyRowSaysWhatIsNotPreventedOrNamesTest() throws {
        let page = try String(contentsOf: Self.root.appending(path: "SECURITY.md"), encoding: .utf8)
        let sections = page.components(separatedBy: "\n### ").dropFirst()
        #expect(sections.count == 5)
        for row in sections.flatMap({ $0.split(separator: "\n") }) where row.hasPrefix("| ") {
            let cells = row.split(separator: "|", omittingEmptySubsequences: false)
            guard cells.count == 5, !row.hasPrefix("| attack") && !row.hasPrefix("| ---") else { continue }
            #expect(cells[3].contains("Tests`") || cells[2].contains("**"), "\(row)")
        }
    }
}
