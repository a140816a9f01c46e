import Foundation

/// Runs of a program under strace, which can stop it or fail it at any of its system calls.
struct Trace {
    static let path = "/usr/bin/strace"
    /// Calls that change files or bring their content to the disk, and those that read them.
    static let calls = [
        "openat", "write", "pwrite64", "fsync", "rename", "renameat2", "link", "linkat", "symlink", "symlinkat",
        "unlink", "unlinkat", "mkdir", "mkdirat", "chmod", "fchmod", "fchmodat", "ftruncate", "fallocate", "close",
        "flock", "openat2", "read", "pread64", "getdents64", "readlink", "readlinkat", "ioctl", "fdatasync",
    ]

    /// Where a call stands in a run: its name, and which of its kind it is, counted from 1.
    struct Point: Hashable, Sendable, CustomStringConvertible {
        var call: String
        var number: Int
        var description: String { "\(call) \(number)" }
    }

    /// Whether strace is here and may be used.
    static let isUsable: Bool = {
        guard FileManager.default.isExecutableFile(atPath: path) else { return false }
        return (try? Execution.run(path, ["-qq", "-o", "/dev/null", "-e", "trace=none", "/bin/true"]).status) == 0
    }()

    /// Every call of a run between its marks (`rmdir` of something that ends in `begins` and `ends`), on any thread.
    static func points(of program: String, _ arguments: [String]) throws -> [Point] {
        let folder = try TemporaryFolder()
        let log = folder.path + "/trace"
        let set = (calls + ["rmdir"]).joined(separator: ",")
        let run = try Execution.run(path, ["-f", "-qq", "-o", log, "-e", "trace=\(set)", program] + arguments)
        guard run.status == 0 else { throw ChildProcess.Failure(description: "\(run.output) \(run.errors)") }
        var counts: [String: Int] = [:]
        var points: [Point] = []
        var isWithin = false
        for line in try Execution.text(log).split(separator: "\n") where !line.contains("resumed>") {
            // `1234  fsync(7) = 0`; strace counts each thread's calls apart.
            let parts = line.split(maxSplits: 1) { $0 == " " }
            guard parts.count == 2, let open = parts[1].firstIndex(of: "(") else { continue }
            let call = parts[1][..<open].trimmingCharacters(in: .whitespaces)
            if call == "rmdir" {
                isWithin = line.contains("/begins\"") ? true : line.contains("/ends\"") ? false : isWithin
            }
            guard call != "rmdir" else { continue }
            counts["\(parts[0]) \(call)", default: 0] += 1
            if isWithin { points.append(Point(call: call, number: counts["\(parts[0]) \(call)"] ?? 0)) }
        }
        return points
    }

    /// What comes before a program and its arguments to inject at one point: `signal=KILL` or `error=…`. `log`: a file
    /// for what strace saw.
    static func arguments(_ injection: String, at point: Point, log: String) -> [String] {
        [
            path, "-f", "-qq", "-o", log, "-e", "trace=\(point.call)", "-e",
            "inject=\(point.call):\(injection):when=\(point.number)",
        ]
    }

    /// Whether a run came to its point.
    static func isInjected(_ log: String) throws -> Bool {
        let text = try Execution.text(log)
        return text.contains("(INJECTED)") || text.contains("killed by SIGKILL")
    }

    /// Runs a program with an injection at one point; nil where it ended without having come there.
    static func run(_ injection: String, at point: Point, _ program: String, _ arguments: [String]) throws -> Execution?
    {
        let folder = try TemporaryFolder()
        let log = folder.path + "/trace"
        let run = try Execution.run(
            path, self.arguments(injection, at: point, log: log).dropFirst() + [program] + arguments)
        return try isInjected(log) ? run : nil
    }
}
