import Dispatch
import Glibc

/// Ends the program with status 0 on SIGINT or SIGTERM, after `farewell`: the usual way to end `watch`.
final class StopOnSignal {
    private let sources: [any DispatchSourceSignal]

    init(farewell: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: .global())
        }
        for source in sources {
            source.setEventHandler {
                farewell()
                exit(0)
            }
            source.resume()
        }
    }

    func disarm() { for source in sources { source.cancel() } }
}
