import Files
import Ledger
import Subprocess
import SystemPackage
import WorkerProtocol

/// Has a statement stamped by the command that is configured.
package struct TimestampRunner: Sendable {
    let clock: any Clock<Duration>

    /// The variable that names the file with the statement.
    package static let dataVariable = "SUPERMERGE_DATA"

    package init(clock: any Clock<Duration> = ContinuousClock()) { self.clock = clock }

    /// Writes the statement and the answer beside the ledger; the answer last, so that it is never without its
    /// statement. Throws `HookFailure` where there is no usable answer.
    func stamp(
        _ statement: LedgerStatement, _ settings: Configuration.TimestampSettings, ledger: String
    ) async throws(HookFailure) {
        let name = settings.command.first ?? ""
        do {
            let paths = LedgerStatement.paths(entries: statement.entries, ledger: ledger)
            try await BlockingIO.run {
                try Durable.createDirectories(paths.data.splitPath.directory)
                try Durable.replace(paths.data, with: statement.bytes)
            }
            let reply = try await CommandAnswer.within(settings.timeout, clock) {
                try await run(settings.command, data: paths.data)
            }
            if let fault = statement.fault(ofReply: reply) { throw HookFailure(fault) }
            try await BlockingIO.run { try Durable.replace(paths.reply, with: reply) }
        } catch let failure as HookFailure {
            throw HookFailure("timestamp command \(name): \(failure.description)")
        } catch {
            throw HookFailure("timestamp command \(name): \(error)")
        }
    }

    private func run(_ words: [String], data: String) async throws -> [UInt8] {
        var changes = HookCaller.ownVariables
        changes[.init(stringLiteral: Self.dataVariable)] = data
        let child = ChildProcess(
            executable: .path(FilePath(words.first ?? "")), arguments: Array(words.dropFirst()),
            environment: .inherit.updating(changes), teardown: HookCaller.teardown)
        return try CommandAnswer.bytes(try await child.answer(limit: LedgerStatement.longestReply))
    }
}
