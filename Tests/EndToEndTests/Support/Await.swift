import Glibc

extension Duration {
    /// The limit of waits whose length is not the test's subject: a machine may stand still for a minute and more, and
    /// only a failing test comes to the end of it.
    static let ample = Duration.seconds(600)
}

/// Waits on what the kernel tells. Time is the monotonic clock's, and what is waited for is looked at once more when it
/// is over.
enum Await {
    private typealias PidfdOpen = @convention(c) (pid_t, UInt32) -> Int32

    /// Whether the process has ended, or ends within the time; no child of this process has to be meant.
    static func end(of process: pid_t, within limit: Duration = .ample) -> Bool {
        guard let descriptor = Self.descriptor(of: process) else { return errno == ESRCH }
        defer { close(descriptor) }
        return isReadable(descriptor, until: ContinuousClock.now + limit)
    }

    /// What can be read once the process has ended, for the caller to close; nil where there is none, and `errno` says
    /// why.
    static func descriptor(of process: pid_t) -> Int32? {
        guard let symbol = dlsym(nil, "pidfd_open") else {
            errno = ENOSYS
            return nil
        }
        let descriptor = unsafeBitCast(symbol, to: PidfdOpen.self)(process, 0)
        return descriptor >= 0 ? descriptor : nil
    }

    /// Whether something can be read now or before the time is over.
    static func isReadable(_ descriptor: Int32, until end: ContinuousClock.Instant) -> Bool {
        while true {
            let left = max(Duration.zero, ContinuousClock.now.duration(to: end))
            let milliseconds = (left / Duration.milliseconds(1)).rounded(.up)
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let count = poll(&request, 1, Int32(min(milliseconds, 1e9)))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
            if left == .zero { return false }
        }
    }
}
