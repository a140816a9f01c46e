import Glibc

/// What kept the drill from finding anything out.
struct DrillError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// A failed system call.
    static func system(_ call: String, _ path: String) -> DrillError {
        DrillError("\(call) \(path): \(String(cString: strerror(errno)))")
    }
}
