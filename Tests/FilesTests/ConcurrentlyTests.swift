import Files
import Synchronization
import Testing

@Suite struct ConcurrentlyTests {
    private struct Fault: Error, Equatable { var item: Int }

    @Test(arguments: [0, 1, 2, 1000]) func resultsHaveTheItemsOrder(count: Int) throws {
        let items = Array(0..<count)
        #expect(try Concurrently.map(items) { "\($0)" } == items.map { "\($0)" })
    }

    @Test(arguments: [1, 2, 3]) func noMoreThanTheGivenThreadsWork(threads: Int) throws {
        let working = Atomic(0)
        let most = Atomic(0)
        let items = Array(0..<200)
        let results = try Concurrently.map(items, threads: threads) { item in
            most.max(working.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
            defer { working.subtract(1, ordering: .relaxed) }
            return (0...item).reduce(0, +)
        }
        #expect(results == items.map { $0 * ($0 + 1) / 2 })
        #expect(most.load(ordering: .relaxed) <= threads)
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
