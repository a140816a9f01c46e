import Testing

@testable import Releases

/// Which release a start falls back to.
@Suite struct ReleaseHistoryTests {
    /// Each a number, or a number and what it was rolled back to.
    private func order(_ steps: [[Int]], _ standing: Set<Int>) -> [Int] {
        ReleaseHistory(steps.map { .init(version: $0[0], source: $0.count > 1 ? $0[1] : nil) }).order(of: standing)
    }

    @Test func withoutARollbackItIsTheOrderOfTheDeployments() {
        #expect(order([[1], [2], [3]], [1, 2, 3]) == [3, 2, 1])
        #expect(order([[1], [2], [1]], [1, 2]) == [1, 2], "found under `current`, where somebody had pointed it")
    }

    @Test func whatARollbackWentBackFromComesLast() {
        #expect(order([[1], [2], [3], [4, 1]], [1, 2, 3, 4]) == [4, 1, 3, 2])
        #expect(order([[1], [2], [3], [4, 2]], [1, 2, 3, 4]) == [4, 2, 1, 3])
        #expect(order([[1], [2], [3], [4, 1], [5]], [1, 2, 3, 4, 5]) == [5, 4, 1, 3, 2])
        #expect(order([[1], [2], [3], [4, 1], [1]], [1, 2, 3, 4]) == [1, 4, 3, 2], "recovered once already")
    }

    @Test func aRollbackOfARollbackTakesItsRejectionBack() {
        #expect(order([[1], [2], [3], [4, 1], [5, 3]], [1, 2, 3, 4, 5]) == [5, 3, 2, 1, 4])
    }

    @Test func whatWasDeletedIsLeftOutAndItsRejectionsStay() {
        #expect(order([[1], [2], [3], [4, 1]], [2, 3, 4]) == [4, 3, 2])
        #expect(order([[2], [3], [4, 1], [5]], [2, 3, 5]) == [5, 3, 2])
    }

    @Test func whatNobodyKnowsOfComesBeforeWhatWasRejected() {
        #expect(order([[2], [3], [4, 2]], [1, 2, 3, 4]) == [4, 2, 1, 3])
    }
}
