import Testing

@testable import Merging

/// The tree alone, on made-up similarities.
@Suite struct MergeTreeTests {
    /// Two families, alike within and not between.
    private let families: Similarity = {
        var similarity = Similarity()
        for family in ["a", "b"] {
            for first in 1...4 {
                for second in 1...4 where second != first {
                    similarity["\(family)\(first)", "\(family)\(second)"] = 0.9 - 0.01 * Double(first + second)
                }
            }
        }
        return similarity
    }()

    private func text(_ node: MergeTree.Node) -> String {
        node.task ?? "(" + node.children.map(text).joined(separator: " ") + ")"
    }

    private func arbitrary(_ count: Int) -> (names: [String], similarity: Similarity) {
        let names = (0..<count).map { "t\(100 + $0)" }
        var similarity = Similarity()
        var state: UInt64 = 7
        for first in names {
            for second in names where second > first {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                similarity[first, second] = Double(state >> 40) / Double(1 << 24)
            }
        }
        return (names, similarity)
    }

    @Test func alikeTasksAreMergedFirst() {
        let names = ["b2", "a1", "b1", "a2"]
        #expect(text(MergeTree(grouping: names, fanIn: 2, by: families).root) == "((a1 a2) (b1 b2))")
        let eight = (1...4).flatMap { ["b\($0)", "a\($0)"] }
        #expect(text(MergeTree(grouping: eight, fanIn: 4, by: families).root) == "((a1 a2 a3 a4) (b1 b2 b3 b4))")
    }

    @Test func fewTasksAreOneMerge() {
        #expect(text(MergeTree(grouping: ["a2", "a1"], fanIn: 4, by: families).root) == "(a1 a2)")
        #expect(text(MergeTree(grouping: ["a1"], fanIn: 2, by: families).root) == "(a1)")
    }

    @Test(arguments: [2, 3, 4, 7]) func everyTaskIsThereOnceAndNoNodeIsTooWide(fanIn: Int) {
        for count in 1...40 {
            let (names, similarity) = arbitrary(count)
            let tree = MergeTree(grouping: names, fanIn: fanIn, by: similarity)
            #expect(tree.leaves.sorted() == names)
            #expect(tree.merges.allSatisfy { $0.children.count <= fanIn })
            #expect(tree.height <= max(1, (MergeTree.bound(count, fanIn: fanIn) - 1) / 2))
        }
    }

    @Test func theOrderOfTheNamesDoesNotMatter() {
        let (names, similarity) = arbitrary(13)
        let tree = MergeTree(grouping: names, fanIn: 3, by: similarity)
        #expect(MergeTree(grouping: names.reversed(), fanIn: 3, by: similarity) == tree)
        #expect(MergeTree(grouping: names.filter { $0 != "t105" } + ["t105"], fanIn: 3, by: similarity) == tree)
    }

    @Test func anArrivalGoesBesideTheMostSimilar() throws {
        let tree = MergeTree(grouping: ["a1", "a2", "b1", "b2"], fanIn: 2, by: families)
        #expect(text(try #require(tree.inserting("a3", by: families)).root) == "(((a1 a3) a2) (b1 b2))")
    }

    @Test func aNodeWithRoomTakesTheArrivalIn() throws {
        let tree = try #require(MergeTree(grouping: ["a1"], fanIn: 2, by: families).inserting("b1", by: families))
        #expect(text(tree.root) == "(a1 b1)")
        let wide = MergeTree(grouping: ["a1", "a2"], fanIn: 3, by: families)
        #expect(text(try #require(wide.inserting("a3", by: families)).root) == "(a1 a2 a3)")
    }

    @Test(arguments: [2, 3, 4]) func anArrivalChangesOnlyItsWayToTheRoot(fanIn: Int) throws {
        let (names, similarity) = arbitrary(30)
        let before = MergeTree(grouping: Array(names.dropLast()), fanIn: fanIn, by: similarity)
        let after = try #require(before.inserting(names[29], by: similarity))
        let fresh = Set(after.merges).subtracting(before.merges)
        #expect(fresh.allSatisfy { $0.leaves.contains(names[29]) })
        #expect(fresh.count <= after.height)
        #expect(Set(before.merges).subtracting(after.merges).count <= before.height)
    }

    @Test(arguments: [2, 3, 4]) func removingUndoesInserting(fanIn: Int) throws {
        let (names, similarity) = arbitrary(20)
        let before = MergeTree(grouping: Array(names.dropLast()), fanIn: fanIn, by: similarity)
        #expect(try #require(before.inserting(names[19], by: similarity)).removing(names[19]) == before)
    }

    @Test(arguments: [2, 3]) func arrivalsInAnyOrderNeverMakeItTooHigh(fanIn: Int) throws {
        // Each arrival is most like the one before it: without a bound, a chain.
        let names = (0..<60).map { "t\(100 + $0)" }
        var similarity = Similarity()
        for (place, name) in names.enumerated() {
            for other in names[..<place] { similarity[name, other] = other == names[place - 1] ? 0.9 : 0 }
        }
        for order in [names, names.reversed()] {
            var tree = MergeTree(grouping: [order[0]], fanIn: fanIn, by: similarity)
            for (count, name) in order.enumerated().dropFirst() {
                tree =
                    tree.inserting(name, by: similarity)
                    ?? MergeTree(grouping: tree.leaves + [name], fanIn: fanIn, by: similarity)
                #expect(tree.height <= MergeTree.bound(count + 1, fanIn: fanIn))
                #expect(tree.merges.allSatisfy { (2...fanIn).contains($0.children.count) })
            }
            #expect(tree.leaves.sorted() == names)
        }
    }

    @Test func aFitGoesOverWhatIsBelowItsNodesUpToTheSquareOfTheFanIn() throws {
        let eight = (1...4).flatMap { ["b\($0)", "a\($0)"] }
        let tree = MergeTree(grouping: eight, fanIn: 2, by: families)
        #expect(tree.sources(of: tree.root).map(text) == tree.root.children.flatMap(\.children).map(text))
        let four = MergeTree(grouping: ["a1", "a2", "b1"], fanIn: 2, by: families)
        let grown = try #require(four.inserting("a3", by: families))
        #expect(text(grown.root) == "(((a1 a3) a2) b1)")
        #expect(grown.sources(of: grown.root).map(text) == ["a1", "a3", "a2", "b1"])
        let larger = try #require(grown.inserting("a4", by: families))
        #expect(larger.sources(of: larger.root).count == 4)
        #expect(larger.sources(of: larger.root).flatMap(\.leaves) == larger.leaves)
        let wide = MergeTree(grouping: ["a1"], fanIn: .max, by: families)
        #expect(wide.sources(of: wide.root).map(text) == ["a1"])
    }

    @Test func removingCollapsesDownToOneAndNone() {
        var tree = MergeTree(grouping: ["a1", "a2", "b1"], fanIn: 2, by: families)
        tree = tree.removing("a2")
        #expect(text(tree.root) == "(a1 b1)")
        tree = tree.removing("b1")
        #expect(text(tree.root) == "(a1)")
        #expect(tree.removing("a1").leaves.isEmpty)
        #expect(tree.removing("nobody") == tree)
    }
}
