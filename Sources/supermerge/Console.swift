import ArgumentParser
import Files
import Foundation
import Merging
import Safetensors
import Tasks
import WorkerProtocol

/// What every subcommand does with its output and its faults.
enum Console {
    static func print(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    static func print(json: Data) { FileHandle.standardOutput.write(json + Data([0x0A])) }

    /// A line for people, on standard error.
    static func say(_ text: String) {
        FileHandle.standardError.write(Data((text.withVisibleControls(keepingLines: true) + "\n").utf8))
    }

    static func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    static func timestamp() -> String { Date.now.formatted(.iso8601) }

    /// Runs `body`; what it throws becomes one line on standard error and exit status 1.
    static func reportingFaults(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let code as ExitCode {
            throw code
        } catch {
            let failure = failure(error)
            let code = failure.code.map { "refused (\($0)): " } ?? ""
            say("supermerge: \(failure.task.map { "task \($0): " } ?? "")\(code)\(failure.message)")
            throw ExitCode.failure
        }
    }

    /// Any error as the worker's protocol says it.
    static func failure(_ error: any Error) -> WorkerEvent.Failure {
        switch error {
        case let failure as WorkerEvent.Failure: failure
        case let fault as AdmissionFault: fault.failure(of: nil)
        case let error as SafetensorsError: .init(kind: .environment, message: "\(error)")
        case let error as FilesError: .init(kind: .environment, message: "\(error)")
        case let error as DecodingError: .init(kind: .fault, message: "the plan can't be read: \(error)")
        default: .init(kind: .fault, message: "\(error)")
        }
    }

    /// Sets the threads; for what runs a graph loads libtorch, and says so where its BLAS is a slow one.
    static func prepareRuntime(threads: Int, runsGraph: Bool = true) throws {
        try NumericalRuntime.setThreads(threads)
        if runsGraph, let advice = try NumericalRuntime.load() { say("supermerge: \(advice)") }
    }
}
