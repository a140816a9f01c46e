import Files
import Foundation

/// Programs in the same folder as this one.
enum Neighbour {
    static func path(_ name: String) throws -> String {
        guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            throw CommandFailure("/proc/self/exe can't be read, which says where \(name) is; is /proc mounted?")
        }
        return own.pathNames.dropLast().map { "/\($0)" }.joined() + "/\(name)"
    }
}
