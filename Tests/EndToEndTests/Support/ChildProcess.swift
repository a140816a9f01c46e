import Glibc
import Synchronization

/// A program that was started with its output in files.
final class ChildProcess: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let pid: pid_t
    private let ended = Mutex<Int32?>(nil)

    /// Signal mask and dispositions are the system's defaults, whatever thread this is called on.
    init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], output: String, errors: String
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        // Where a toolchain is, the runtime writes a backtrace of a crash for a minute or more; an installed service
        // has none.
        var inherited = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "SWIFT_BACKTRACE": "enable=no"]
        for name in ["LD_LIBRARY_PATH", "HOME"] { inherited[name] = getenv(name).map { String(cString: $0) } }
        let variables = inherited.merging(environment) { _, new in new }.map { "\($0)=\($1)" }
        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        var envp = variables.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, &argv, &envp)
        guard code == 0 else {
            throw Failure(description: "\(program) can't be started: \(String(cString: strerror(code)))")
        }
        self.pid = pid
    }

    deinit { kill() }

    func signal(_ number: Int32) {
        ended.withLock { if $0 == nil { _ = Glibc.kill(pid, number) } }
    }

    /// SIGKILL, and the end.
    func kill() {
        signal(SIGKILL)
        _ = try? wait()
    }

    /// The exit status, or 128 and the signal that ended it. Throws where it is not there within the limit.
    @discardableResult
    func wait(within limit: Duration = .ample) throws -> Int32 {
        if let status = ended.withLock(\.self) { return status }
        guard Await.end(of: pid, within: limit) else {
            throw Failure(description: "process \(pid) did not end within \(limit)")
        }
        return ended.withLock { ended in
            if let ended { return ended }
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let result = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
            ended = result
            return result
        }
    }
}
