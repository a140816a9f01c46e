import Glibc
import Synchronization

/// An inotify instance: folders in, a count of events out.
final class InotifyQueue: Sendable {
    /// What waited in the queue.
    struct Found {
        var count = 0
        /// Whether a folder came, went or moved, or events were lost.
        var concernsFolders = false
    }

    let descriptor: Int32
    private let state = Mutex(State())

    private struct State {
        var watches: Set<Int32> = []
        /// Folder → the watch that it got last. Two folders have the same one where a link leads from one to the other.
        var places: [String: Int32] = [:]
        /// Watches of folders in which whatever comes or goes counts as a folder.
        var parents: Set<Int32> = []
        var hasNew = false
        var isOpen = true
    }

    /// Writes are told when the writer closes: a file that grows for an hour wakes nobody.
    private static let mask = UInt32(
        IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF
            | IN_ONLYDIR)

    init(path: String) throws(RegistryError) {
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { throw .unwatchable(path: path, errno: errno) }
    }

    /// Watches a folder; one that is watched already is left so. Gives errno where that fails. `holdsFolders`: whatever
    /// comes or goes in it counts as a folder, because a link to one may.
    func watch(_ folder: String, holdsFolders: Bool = false) -> Int32? {
        state.withLock { state in
            guard state.isOpen else { return nil }
            let watch = unsafe inotify_add_watch(descriptor, folder, Self.mask)
            guard watch >= 0 else { return errno }
            state.places[folder] = watch
            if state.watches.insert(watch).inserted { state.hasNew = true }
            if holdsFolders { state.parents.insert(watch) }
            return nil
        }
    }

    /// Ends every watch that none of `folders` has: one of a folder that was moved away would count against
    /// fs.inotify.max_user_watches, hold its inode, and wake somebody at every write there.
    func keepOnly(_ folders: Set<String>) {
        state.withLock { state in
            guard state.isOpen else { return }
            state.places = state.places.filter { folders.contains($0.key) }
            let gone = state.watches.subtracting(state.places.values)
            // One that the kernel ended itself is unknown to it, and gone all the same.
            for watch in gone { _ = inotify_rm_watch(descriptor, watch) }
            state.watches.subtract(gone)
            state.parents.subtract(gone)
        }
    }

    /// Whether a watch was added since the last question.
    func forgetNewWatches() -> Bool {
        state.withLock { state in
            defer { state.hasNew = false }
            return state.hasNew
        }
    }

    /// Takes everything that waits.
    func drain() -> Found {
        var found = Found()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return found }
            unsafe buffer.withUnsafeBytes { unsafe take(UnsafeRawBufferPointer(rebasing: $0[..<count]), into: &found) }
        }
    }

    func close() {
        state.withLock { state in
            guard state.isOpen else { return }
            state.isOpen = false
            _ = Glibc.close(descriptor)
        }
    }

    /// An event is watch, mask, cookie and the length of the name that follows, 32 bits each (inotify(7)).
    private func take(_ events: UnsafeRawBufferPointer, into found: inout Found) {
        var offset = 0
        while offset + 16 <= events.count {
            let watch = unsafe events.loadUnaligned(fromByteOffset: offset, as: Int32.self)
            let mask = unsafe events.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
            let length = unsafe events.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self)
            offset += 16 + Int(length)
            // The end of a watch is no news: the removal or the unmounting that caused it has an event of its own.
            guard mask & UInt32(IN_IGNORED) == 0 else {
                forget(watch)
                continue
            }
            found.count += 1
            let isInParent = state.withLock { $0.parents.contains(watch) }
            let ofFolders = UInt32(IN_ISDIR | IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)
            let ofNames = UInt32(IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)
            if mask & ofFolders != 0 || (isInParent && mask & ofNames != 0) { found.concernsFolders = true }
        }
    }

    private func forget(_ watch: Int32) {
        state.withLock { state in
            state.watches.remove(watch)
            state.parents.remove(watch)
        }
    }
}
