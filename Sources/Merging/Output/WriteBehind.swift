internal import Dispatch
internal import Synchronization

/// Hands buffers on in order, on a queue of its own, while the next one is being filled: hashing and writing beside
/// merging.
///
/// Memory: two buffers of the largest size that was asked for.
@safe
final class WriteBehind: @unchecked Sendable {
    private let append: (UnsafeRawBufferPointer) throws -> Void
    private let queue = DispatchQueue(label: "supermerge.write-behind")
    private let free = DispatchSemaphore(value: 2)
    private let fault = Mutex<(any Error)?>(nil)
    private var buffers: [UnsafeMutableRawBufferPointer]
    private var next = 0

    init(_ append: @escaping (UnsafeRawBufferPointer) throws -> Void) {
        unsafe self.append = append
        unsafe buffers = [.init(start: nil, count: 0), .init(start: nil, count: 0)]
    }

    /// Runs when no buffer is under way any more, since each holds this object: after a fault, on the queue itself.
    deinit {
        unsafe buffers.forEach { unsafe $0.deallocate() }
    }

    /// Fills `count` bytes with `fill` and hands them on later; throws what an earlier buffer met.
    func write(_ count: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        free.wait()
        var isHandedOn = false
        defer { if !isHandedOn { free.signal() } }
        try throwFault()
        let place = next
        if unsafe buffers[place].count < count {
            unsafe buffers[place].deallocate()
            unsafe buffers[place] = .allocate(byteCount: count, alignment: 64)
        }
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffers[place][..<count])
        unsafe try fill(part)
        next = 1 - place
        isHandedOn = true
        let filled = unsafe SendableBuffer(bytes: UnsafeRawBufferPointer(part))
        queue.async { [self] in
            defer { free.signal() }
            guard fault.withLock({ $0 == nil }) else { return }
            do { unsafe try append(filled.bytes) } catch { fault.withLock { $0 = error } }
        }
    }

    /// Waits until everything is handed on; throws what that met.
    func finish() throws {
        queue.sync {}
        try throwFault()
    }

    private func throwFault() throws {
        if let error = fault.withLock({ $0 }) { throw error }
    }

    @unsafe
    private struct SendableBuffer: @unchecked Sendable {
        let bytes: UnsafeRawBufferPointer
    }
}
