import Testing
import WorkerProtocol

@Suite struct ThinningTests {
    private func curve(_ count: Int) -> [FitPoint] { (0..<count).map { FitPoint(step: 10 * $0, loss: Double($0)) } }

    @Test(arguments: [0, 1, 3, 511, 512]) func shortCurvesStayAsTheyAre(_ count: Int) {
        #expect(curve(count).thinned(keeping: 0) == curve(count))
    }

    @Test(arguments: [513, 1000, 100_000]) func longOnesKeepTheirEndsAndTheBest(_ count: Int) {
        for best in [0, 10, 770, 10 * (count - 2), 10 * (count - 1), -1] {
            let thinned = curve(count).thinned(keeping: best)
            #expect(thinned.count <= 512 && thinned.count >= 511)
            #expect(thinned.first?.step == 0 && thinned.last?.step == 10 * (count - 1))
            #expect(best < 0 || thinned.contains { $0.step == best })
            #expect(zip(thinned, thinned.dropFirst()).allSatisfy { $0.step < $1.step })
        }
    }
}
