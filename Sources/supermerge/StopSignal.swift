import Dispatch
import Foundation
import Synchronization

/// Whether SIGTERM or SIGINT has come, for a fit that saves itself before it ends.
final class StopSignal: Sendable {
    private let requested = Atomic(false)
    private let sources: [any DispatchSourceSignal]

    var isRequested: Bool { requested.load(ordering: .relaxed) }

    init() {
        sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: .global())
        }
        for source in sources {
            source.setEventHandler { [weak self] in self?.requested.store(true, ordering: .relaxed) }
            source.resume()
        }
    }
}
