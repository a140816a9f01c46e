import Foundation
import WorkerProtocol

/// Writes `WorkerEvent` lines to standard output, each whole.
struct EventLines {
    func say(_ event: WorkerEvent) {
        guard var line = try? JSON.encode(event) else { return }
        line.append(0x0A)
        FileHandle.standardOutput.write(line)
    }
}
