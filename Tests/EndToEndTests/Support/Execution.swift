import Foundation

/// What a program that has ended said and how it ended.
struct Execution {
    let status: Int32
    let output: String
    let errors: String

    /// Runs a program to its end.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], deadline: Int32 = 240
    ) throws -> Execution {
        let folder = try TemporaryFolder()
        let (output, errors) = (folder.path + "/output", folder.path + "/errors")
        let child = try ChildProcess(program, arguments, environment: environment, output: output, errors: errors)
        let status = try child.wait(deadline: deadline)
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
