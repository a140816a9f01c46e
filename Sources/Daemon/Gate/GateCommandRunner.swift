import Files
import Foundation
import Subprocess
import SystemPackage
import WorkerProtocol

/// Runs the team's own gate in a sandbox.
package struct GateCommandRunner: Sendable {
    /// The program that restricts itself and becomes the command; `supermerged`.
    var launcher: String
    var clock: any Clock<Duration>

    package init(launcher: String? = nil, clock: any Clock<Duration> = ContinuousClock()) {
        self.launcher = launcher ?? SystemPath.neighbour("supermerged")
        self.clock = clock
    }

    /// Asks about a candidate. `scratch`: a folder for the command alone, which is made and removed here.
    ///
    /// Throws `HookFailure` where there is no answer: the command can't be run, takes longer than its timeout, fails,
    /// answers nonsense, or changed the candidate.
    func ask(
        _ settings: GateCommandSettings, _ question: GateQuestion, scratch: String
    ) async throws(HookFailure) -> GateRecord.Command {
        let name = settings.words.first ?? ""
        do {
            let input = Array(try JSON.encode(question))
            try Durable.remove(scratch)
            try Durable.createDirectories(scratch)
            defer { try? Durable.remove(scratch) }
            let before = try Self.identities(question.candidate)
            let began = ContinuousClock.now
            let bytes = try await CommandAnswer.within(settings.timeout, clock) {
                try await run(settings, input, scratch: scratch)
            }
            guard try Self.identities(question.candidate) == before else {
                throw HookFailure("it changed the candidate, which it may only read")
            }
            return try GateAnswer.parse(bytes, seconds: (ContinuousClock.now - began) / .seconds(1))
        } catch let failure as HookFailure {
            throw HookFailure("gate command \(name): \(failure.description)")
        } catch {
            throw HookFailure("gate command \(name): \(error)")
        }
    }

    private func run(_ settings: GateCommandSettings, _ input: [UInt8], scratch: String) async throws -> [UInt8] {
        var changes = HookCaller.ownVariables
        changes["TMPDIR"] = scratch
        changes["HOME"] = scratch
        let words = SandboxedProgram.arguments(
            settings.words, folder: scratch, allowsNetwork: settings.allowsNetwork)
        let child = ChildProcess(
            executable: .path(FilePath(launcher)), arguments: words, environment: .inherit.updating(changes),
            folder: scratch, input: input, teardown: HookCaller.teardown)
        return try CommandAnswer.bytes(try await child.answer(limit: GateAnswer.longest))
    }

    /// Name → identity of every file below a folder.
    private static func identities(_ folder: String, prefix: String = "") throws -> [String: String] {
        var found: [String: String] = [:]
        for name in try Durable.list(folder) {
            let path = "\(folder)/\(name)"
            let status = try FileStatus(path: path)
            if status.kind == .directory {
                found.merge(try identities(path, prefix: "\(prefix)\(name)/")) { $1 }
            } else {
                found[prefix + name] = status.identity.description
            }
        }
        return found
    }
}
