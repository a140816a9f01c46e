import Foundation
import Glibc

/// Waits on what the kernel tells, with a deadline that only a failing test reaches.
enum Await {
    private typealias PidfdOpen = @convention(c) (pid_t, UInt32) -> Int32

    /// Whether the process has ended, or ends within the time; no child of this process has to be meant.
    static func end(of process: pid_t, seconds: Int32 = 60) -> Bool {
        guard let symbol = dlsym(nil, "pidfd_open") else { return false }
        let descriptor = unsafeBitCast(symbol, to: PidfdOpen.self)(process, 0)
        guard descriptor >= 0 else { return errno == ESRCH }
        defer { close(descriptor) }
        return isReadable(descriptor, until: Date().addingTimeInterval(Double(seconds)))
    }

    /// Whether something can be read now or before the time is over.
    static func isReadable(_ descriptor: Int32, until deadline: Date) -> Bool {
        while true {
            let left = max(0, deadline.timeIntervalSinceNow)
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let count = poll(&request, 1, Int32(min(left * 1000, 1e9).rounded(.up)))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
            if left == 0 { return false }
        }
    }
}
