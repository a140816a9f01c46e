import Foundation
import ModelFamilies
import Testing

/// `docs/families.md` says which families are built: its table is the catalog's, written where `SUPERMERGE_WRITE_PAGES`
/// is set.
@Suite struct DocumentedFamiliesTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/families.md")

    @Test func theCatalogNamesEveryModelTypeThatIsBuilt() {
        #expect(Set(FamilyCatalog.rows.flatMap(\.modelTypes)) == Set(BaseGraph.modelTypes))
    }

    @Test func thePageHasTheCatalogsTable() throws {
        let lines = try String(contentsOf: Self.page, encoding: .utf8).components(separatedBy: "\n")
        let first = try #require(lines.firstIndex { $0.hasPrefix("|") })
        let table = lines[first...].prefix { $0.hasPrefix("|") }
        if ProcessInfo.processInfo.environment["SUPERMERGE_WRITE_PAGES"] != nil {
            let written = lines[..<first] + FamilyCatalog.lines + lines[table.endIndex...]
            try written.joined(separator: "\n").write(to: Self.page, atomically: true, encoding: .utf8)
        } else {
            #expect(Array(table) == FamilyCatalog.lines, "run make families")
        }
    }
}
