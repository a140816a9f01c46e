import Foundation

/// A memory cgroup of its own, for as long as the object lives: the kernel kills a process in it that wants more than
/// it has.
package final class CgroupLimit: Sendable {
    package let path: String
    private let events: String

    /// Nil where this user may make none, or where none can limit memory.
    package init?(bytes: Int) throws {
        guard let made = try Self.make(bytes) else { return nil }
        (path, events) = (made.path, made.events)
    }

    private static func make(_ bytes: Int) throws -> (path: String, events: String)? {
        for kind in try kinds(bytes) {
            let path = "\(kind.parent)/supermerge-test-\(UUID().uuidString.prefix(13))"
            guard mkdir(path, 0o755) == 0 else { continue }
            do {
                _ = try String(contentsOfFile: "\(path)/\(kind.limits[0].name)", encoding: .utf8)
                for limit in kind.limits where FileManager.default.fileExists(atPath: "\(path)/\(limit.name)") {
                    try set("\(path)/\(limit.name)", limit.value)
                }
                return (path, "\(path)/\(kind.events)")
            } catch {
                rmdir(path)
            }
        }
        return nil
    }

    deinit { rmdir(path) }

    /// A line for a shell: it goes into the cage, and wants so many bytes.
    package func wanting(_ bytes: Int) -> String {
        "echo $$ > '\(path)/cgroup.procs' && exec perl -e 'my $x = q(x) x \(bytes); print length $x'"
    }

    /// Processes that the kernel has killed in it.
    package var kills: Int {
        let lines = ((try? String(contentsOfFile: events, encoding: .utf8)) ?? "").split(separator: "\n")
        return lines.first { $0.hasPrefix("oom_kill ") }.flatMap { Int($0.dropFirst(9)) } ?? 0
    }

    private struct Kind {
        var parent: String
        /// The first has to be there. Without the second, where it is there, the process would go into the swap.
        var limits: [(name: String, value: Int)]
        var events: String
    }

    /// Where one might be made: below this process's own (cgroup v1), or beside it, because v2 gives no memory to the
    /// children of a cgroup that has processes.
    private static func kinds(_ bytes: Int) throws -> [Kind] {
        var kinds: [Kind] = []
        for line in try String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8).split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[1].split(separator: ",").contains("memory") {
                let limits: [(name: String, value: Int)] = [
                    ("memory.limit_in_bytes", bytes), ("memory.memsw.limit_in_bytes", bytes),
                ]
                for parent in ["/sys/fs/cgroup/memory\(fields[2])", "/sys/fs/cgroup/memory"] {
                    kinds.append(Kind(parent: parent, limits: limits, events: "memory.oom_control"))
                }
            } else if fields[1].isEmpty, let slash = fields[2].lastIndex(of: "/") {
                kinds.append(
                    Kind(
                        parent: "/sys/fs/cgroup\(fields[2][..<slash])",
                        limits: [("memory.max", bytes), ("memory.swap.max", 0)], events: "memory.events"))
            }
        }
        return kinds
    }

    private static func set(_ path: String, _ value: Int) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.write(contentsOf: Data("\(value)\n".utf8))
        try file.close()
    }
}
