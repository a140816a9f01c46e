import Dispatch
import Glibc
import Synchronization

/// Whether SIGTERM or SIGINT has come, for a fit that saves itself before it ends.
final class StopSignal {
    private let requested = Flag()
    private let sources: [any DispatchSourceSignal]

    var isRequested: Bool { requested.isRaised }

    init() {
        sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: .global())
        }
        for source in sources {
            source.setEventHandler { [requested] in requested.raise() }
            source.resume()
        }
    }
}

/// A flag that is raised once, from any thread.
private final class Flag: Sendable {
    private let raised = Atomic(false)
    var isRaised: Bool { raised.load(ordering: .relaxed) }
    func raise() { raised.store(true, ordering: .relaxed) }
}
