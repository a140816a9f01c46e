internal import Dispatch
internal import Files

/// Has the kernel read ahead, on a queue of its own, what is formed next: in the order in which it was asked for, one
/// segment's parameters at a time.
final class PageReader {
    private let queue = DispatchQueue(label: "supermerge.read-ahead", qos: .utility)

    /// Memory: none of the process; the pages belong to the kernel's cache.
    func read(_ places: [(file: ReadableFile, bytes: Range<Int64>)]) {
        queue.async { for (file, bytes) in places { file.willNeed(bytes) } }
    }

    /// Waits until everything was asked for.
    func finish() { queue.sync {} }
}
