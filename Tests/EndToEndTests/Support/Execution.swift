import Foundation
import Glibc

/// What a program that has ended said and how it ended.
struct Execution {
    /// Time for a program that took too long to remove what it has made.
    private static let grace = Duration.seconds(120)

    let status: Int32
    let output: String
    let errors: String

    /// Runs a program to its end. One that is not there within the limit gets SIGTERM, and SIGKILL after two minutes.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], within limit: Duration = .ample
    ) throws -> Execution {
        let folder = try TemporaryFolder()
        let (output, errors) = (folder.path + "/output", folder.path + "/errors")
        let child = try ChildProcess(program, arguments, environment: environment, output: output, errors: errors)
        let status: Int32
        do {
            status = try child.wait(within: limit)
        } catch {
            child.signal(SIGTERM)
            _ = try? child.wait(within: grace)
            let words = try text(output) + text(errors)
            throw ChildProcess.Failure(description: "\(program): \(error); it said: \(words.suffix(4000))")
        }
        return Execution(status: status, output: try text(output), errors: try text(errors))
    }

    /// The output as a JSON value.
    func json() throws -> Any { try JSONSerialization.jsonObject(with: Data(output.utf8), options: .fragmentsAllowed) }

    /// The output as a JSON object.
    func object() throws -> [String: Any] { try json() as? [String: Any] ?? [:] }

    static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
}
