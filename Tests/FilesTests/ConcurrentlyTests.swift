import Files
import Testing

@Suite struct ConcurrentlyTests {
    private struct Fault: Error, Equatable { var item: Int }

    @Test(arguments: [0, 1, 2, 1000]) func resultsHaveTheItemsOrder(count: Int) throws {
        let items = Array(0..<count)
        #expect(try Concurrently.map(items) { "\($0)" } == items.map { "\($0)" })
    }

    @Test func resultsMayBeNil() throws {
        let values: [Int?] = try Concurrently.map(Array(0..<10)) { $0 % 2 == 0 ? $0 : nil }
        #expect(values == (0..<10).map { $0 % 2 == 0 ? $0 : nil })
    }

    @Test(arguments: [[0], [7], [99], [20, 3, 50], Array(0..<100)]) func theFirstFaultInOrderIsThrown(bad: [Int]) {
        #expect(throws: Fault(item: bad.min() ?? -1)) {
            try Concurrently.map(Array(0..<100)) { item in
                if bad.contains(item) { throw Fault(item: item) }
            }
        }
    }

    @Test func aSingleItemsFaultIsThrown() {
        #expect(throws: Fault(item: 4)) { try Concurrently.map([4]) { throw Fault(item: $0) } }
    }
}
