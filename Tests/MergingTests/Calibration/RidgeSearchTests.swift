import Testing

@testable import Merging

/// Which λ are tried.
struct RidgeSearchTests {
    private func tried(_ given: Double? = nil, _ loss: (Double) -> Double?) -> (tried: [Double], best: [Bool]) {
        var search = RidgeSearch(given)
        var best: [Bool] = []
        while let ridge = search.next { best.append(search.record(loss(ridge))) }
        return (search.tried.map(\.ridge), best)
    }

    @Test func climbsInTheDirectionThatFalls() {
        #expect(tried { abs($0 - 1) }.tried == [0.01, 0.1, 1, 10])
        #expect(tried { abs($0 - 0.1) }.tried == [0.01, 0.1, 1])
        #expect(tried { abs($0 - 0.01) }.tried == [0.01, 0.1, 0.001])
        #expect(tried { $0 }.best == [true, false, true, true])
    }

    @Test func aGivenRidgeIsTheOnlyOne() {
        let result = tried(0.3) { _ in 1 }
        #expect(result.tried == [0.3])
        #expect(result.best == [true])
    }

    @Test func withoutAHeldOutLossTheUsualOneIsTaken() {
        let result = tried { _ in nil }
        #expect(result.tried == [RidgeSearch.usual])
        #expect(result.best == [true])
    }
}
