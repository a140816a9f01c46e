import Dispatch

/// Independent pieces of blocking work on all cores.
package enum Concurrently {
    /// `items.map(body)`, several at once; `body` must be safe to run on several threads. Throws the first error in the items'
    /// order, after all have ended.
    package static func map<Item, Value>(_ items: [Item], _ body: (Item) throws -> Value) throws -> [Value] {
        guard items.count > 1 else { return try items.map(body) }
        let results = UnsafeMutableBufferPointer<Result<Value, any Error>?>.allocate(capacity: items.count)
        unsafe results.initialize(repeating: nil)
        defer {
            unsafe results.deinitialize()
            unsafe results.deallocate()
        }
        withoutActuallyEscaping(body) { body in
            let work = unsafe Work { place in unsafe results[place] = Result { try body(items[place]) } }
            DispatchQueue.concurrentPerform(iterations: items.count) { unsafe work.perform($0) }
        }
        return unsafe try results.compactMap { try $0?.get() }
    }

    /// Each call touches its own place alone.
    @unsafe
    private struct Work: @unchecked Sendable {
        let perform: (Int) -> Void
    }
}
