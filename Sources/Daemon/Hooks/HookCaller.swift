import Foundation
import Ledger
import Subprocess
import SystemPackage

/// Runs commands without a shell and makes HTTP calls.
package struct HookCaller: HookCalling {
    /// Bytes of a command's output that are kept.
    private static let longestOutput = 64 << 10
    /// Time between SIGTERM and SIGKILL where a command takes too long.
    private static let grace = Duration.seconds(2)
    /// Letters of what a server or a command said that reach the ledger.
    private static let mostLetters = 300
    /// Those of the service manager are the daemon's alone.
    private static let ownVariables = [
        "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
    ]

    package init() {}

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
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: Self.grace)
        ]
        var changes: [Environment.Key: String?] = [:]
        for name in Self.ownVariables { changes[.init(stringLiteral: name)] = .some(nil) }
        for (name, value) in values.environment { changes[.init(stringLiteral: name)] = value }
        let program = words.first ?? ""
        let said = Said()
        let status = try await Subprocess.run(
            .path(FilePath(program)), arguments: Arguments(Array(words.dropFirst())),
            environment: .inherit.updating(changes), platformOptions: options, input: .none, output: .sequence,
            error: .sequence
        ) { execution in
            let (output, errors) = (execution.standardOutput, execution.standardError)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for stream in [output, errors] {
                    group.addTask {
                        for try await buffer in stream {
                            await said.note(unsafe buffer.withUnsafeBytes { unsafe Array($0) })
                        }
                    }
                }
                try await group.waitForAll()
            }
        }.terminationStatus
        let words = Self.short(await said.lastLine)
        let end = words.isEmpty ? "" : ": \(words)"
        switch status {
        case .exited(0): return "\(program) succeeded\(end)"
        case .exited(let code): throw HookFailure("\(program) ended with status \(code)\(end)")
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

    private func send(_ request: HookRequest, _ values: HookValues) async throws -> String {
        let target = request.address.target(values)
        let place = "\(request.method) \(request.address.socket ?? request.address.authority)\(target)"
        let answer: HTTPAnswer
        do {
            answer = try await HTTPExchange.send(
                request.method, target, to: request.address, headers: request.headers.mapValues { values.fill($0) },
                body: request.json.map { $0.filled(values).json })
        } catch {
            throw HookFailure("\(place): \(Self.short("\(error)"))")
        }
        let said = Self.short(String(decoding: answer.body, as: UTF8.self))
        guard (200..<300).contains(answer.status) else {
            throw HookFailure("\(place): status \(answer.status)\(said.isEmpty ? "" : ": \(said)")")
        }
        guard let expected = request.contains?.filled(values) else { return "\(place): status \(answer.status)" }
        let wanted = Self.short(String(decoding: expected.json, as: UTF8.self))
        guard let found = try? JSONDecoder().decode(LedgerValue.self, from: answer.body) else {
            throw HookFailure("\(place): the answer is not JSON, \(wanted) was expected: \(said)")
        }
        guard found.contains(expected) else { throw HookFailure("\(place): \(wanted) was expected: \(said)") }
        return "\(place): \(wanted)"
    }

    private static func short(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.count > mostLetters ? line.prefix(mostLetters) + " …" : line
    }
}
