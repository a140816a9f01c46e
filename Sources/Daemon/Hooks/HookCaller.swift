import Subprocess
import SystemPackage

/// Runs commands without a shell, and curl for HTTP calls.
package struct HookCaller: HookCalling {
    /// Bytes of a command's output that are kept.
    static let longestOutput = 64 << 10
    /// Time between SIGTERM and SIGKILL where a command takes too long.
    private static let grace = Duration.seconds(2)
    /// Letters of what a server or a command said that reach the ledger.
    private static let mostLetters = 300
    /// Those of the service manager are the daemon's alone.
    static let ownVariables: [Environment.Key: String?] = [
        "NOTIFY_SOCKET": nil, "WATCHDOG_PID": nil, "WATCHDOG_USEC": nil, "LISTEN_FDS": nil, "LISTEN_PID": nil,
        "LISTEN_FDNAMES": nil,
    ]
    /// A call that takes too long is ended with its children.
    static let teardown = [
        TeardownStep.send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: grace)
    ]

    let curl: Executable

    /// `curl` is looked for where programs are.
    package init(curl: String = "curl") { self.curl = .name(curl) }

    package func call(_ call: HookCall, _ values: HookValues) async throws(HookFailure) -> String {
        do {
            switch call {
            case .command(let words): return try await run(words.map { values.fill($0) }, values)
            case .request(let request): return try await send(request, values)
            }
        } catch let failure as HookFailure {
            throw failure
        } catch {
            throw HookFailure(Self.short("\(error)"))
        }
    }

    private func run(_ words: [String], _ values: HookValues) async throws -> String {
        var changes = Self.ownVariables
        for (name, value) in values.environment { changes[.init(stringLiteral: name)] = value }
        let program = words.first ?? ""
        let said = Said()
        let status = try await ChildProcess(
            executable: .path(FilePath(program)), arguments: Array(words.dropFirst()),
            environment: .inherit.updating(changes), teardown: Self.teardown
        ).run { child in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for stream in [child.output, child.errors] {
                    group.addTask {
                        for try await buffer in stream {
                            await said.note(unsafe buffer.withUnsafeBytes { unsafe Array($0) })
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        let words = Self.short(await said.lastLine)
        let end = words.isEmpty ? "" : ": \(words)"
        switch status {
        case .exited(0): return "\(program) succeeded\(end)"
        case .exited(let code):
            throw HookFailure("\(program) ended with status \(code)\(end)", isAnswer: code == 1)
        case .signaled(let signal): throw HookFailure("\(program) was ended by signal \(signal)\(end)")
        }
    }

    /// The end of what a command has said.
    private actor Said {
        private var bytes: [UInt8] = []

        func note(_ more: [UInt8]) { bytes = (bytes + more).suffix(HookCaller.longestOutput) }

        var lastLine: String {
            let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            return lines.last { !$0.allSatisfy(\.isWhitespace) }.map(String.init) ?? ""
        }
    }

    static func short(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.count > mostLetters ? line.prefix(mostLetters) + " …" : line
    }
}
