import Files
import Foundation
import Ledger

/// Checks time stamps of the ledger's head with `openssl ts`.
struct TimestampCheck {
    /// PEM file of the certificates that the authority's must lead to.
    var authority: String
    /// PEM file of certificates between the two; nil: the answers hold them.
    var chain: String?
    var program = "/usr/bin/openssl"

    /// `valid` and the time that is proven, or what is wrong.
    func outcome(entries: Int, ledger: String) throws -> (isValid: Bool, text: String) {
        let paths = LedgerStatement.paths(entries: entries, ledger: ledger)
        var arguments = ["ts", "-verify", "-data", paths.data, "-in", paths.reply, "-CAfile", authority]
        if let chain { arguments += ["-untrusted", chain] }
        let verified = try run(arguments)
        guard verified.status == 0 else {
            let lines = verified.output.split(separator: "\n")
            let fault = lines.last { $0.contains("error") || $0.contains("unable") } ?? lines.last ?? ""
            return (false, "openssl ts -verify refuses it: \(shown(String(fault)))")
        }
        let text = try run(["ts", "-reply", "-in", paths.reply, "-text"]).output
        let time = text.split(separator: "\n").first { $0.hasPrefix(Self.label) }.map { $0.dropFirst(Self.label.count) }
        return (true, "valid: \(time ?? "no time given")")
    }

    private static let label = "Time stamp: "

    private func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        (process.standardOutput, process.standardError) = (pipe, pipe)
        do {
            try process.run()
        } catch {
            throw CommandFailure("\(program) can't be started, which checks time stamps: install openssl")
        }
        let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }
}
