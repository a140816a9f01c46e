import Files
import Foundation
import Tasks
import WorkerProtocol

/// Has a table of examples encoded by `supermerge worker --check` beside this program, as the daemon will.
enum TableEncoding {
    /// An encoder whose tensors lie in `directory`.
    static func encoder(in directory: String) -> ExampleEncoder {
        ExampleEncoder(directory: directory) { request in
            do {
                return try run(request)
            } catch {
                return .failed(message: "\(request.examples.name) can't be encoded: \(error)")
            }
        }
    }

    private static func run(_ request: ExampleRequest) throws -> ExampleReply {
        let process = Process()
        process.executableURL = URL(filePath: try Neighbour.path("supermerge"))
        process.arguments = ["worker", "--check"]
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        input.fileHandleForWriting.write(try JSON.encode(request))
        try input.fileHandleForWriting.close()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0, let reply = try? JSON.decode(ExampleReply.self, from: said) else {
            return .failed(
                message: "the worker that encodes \(request.examples.name) ended with status "
                    + "\(process.terminationStatus)")
        }
        return reply
    }
}
