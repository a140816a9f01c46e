import Dispatch
import Synchronization

/// Independent pieces of blocking work on several cores.
package enum Concurrently {
    /// `items.map(body)`, up to `threads` at once (no more than there are cores); `body` must be safe to run on several
    /// threads. Throws the first error in the items' order, after all have ended.
    package static func map<Item, Value>(
        _ items: [Item], threads: Int = .max, _ body: (Item) throws -> Value
    ) throws -> [Value] {
        let count = items.count
        let threads = min(threads, count)
        guard threads > 1 else { return try items.map(body) }
        let next = Next()
        let results = UnsafeMutableBufferPointer<Result<Value, any Error>?>.allocate(capacity: items.count)
        unsafe results.initialize(repeating: nil)
        defer {
            unsafe results.deinitialize()
            unsafe results.deallocate()
        }
        withoutActuallyEscaping(body) { body in
            let work = unsafe Work { place in unsafe results[place] = Result { try body(items[place]) } }
            DispatchQueue.concurrentPerform(iterations: threads) { _ in
                while let place = next.place(below: count) { unsafe work.perform(place) }
            }
        }
        return unsafe try results.compactMap { try $0?.get() }
    }

    /// Hands every item out once.
    private final class Next: Sendable {
        private let taken = Atomic(0)

        func place(below count: Int) -> Int? {
            let place = taken.wrappingAdd(1, ordering: .relaxed).oldValue
            return place < count ? place : nil
        }
    }

    /// Each call touches its own place alone.
    @unsafe
    private struct Work: @unchecked Sendable {
        let perform: (Int) -> Void
    }
}
