import Files
import Glibc

/// Remembers which process the worker is, so that a daemon that was killed can end its orphan before it starts another.
///
/// A process is known by its number and its start time, so that a number used again by somebody else is left alone.
struct WorkerPIDFile: Sendable {
    /// The file that holds the two numbers.
    var path: String

    func write(_ process: pid_t) {
        guard let start = Self.startTime(process) else { return }
        try? Durable.replace(path, with: Array("\(process) \(start)\n".utf8))
    }

    func remove() { try? Durable.remove(path) }

    /// Kills the process that the file names, if it is still the same one; true where there was one.
    func killOrphan() -> Bool {
        defer { remove() }
        guard let bytes = try? Durable.contents(path, limit: 128) else { return false }
        let parts = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard parts.count == 2, let process = pid_t(parts[0]), process > 1,
            let start = Self.startTime(process), start == parts[1]
        else { return false }
        return kill(-process, SIGKILL) == 0 || kill(process, SIGKILL) == 0
    }

    /// Field 22 of /proc/<pid>/stat: clock ticks since boot, unique for a process number. Nil where the process has
    /// ended.
    private static func startTime(_ process: pid_t) -> String? {
        guard let bytes = try? Durable.contents("/proc/\(process)/stat", limit: 1 << 14) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 19 && fields[0] != "Z" ? String(fields[19]) : nil
    }
}
