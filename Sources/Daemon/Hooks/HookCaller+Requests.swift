import Files
import Foundation
import Ledger
import Subprocess
import WorkerProtocol

/// HTTP calls are curl's business: what it is to do stands in a configuration on its standard input, so that no value
/// is taken for an option and no secret is seen among the processes.
extension HookCaller {
    /// Bytes that an answer may have.
    private static let longestAnswer = 4 << 20
    /// Bytes of one line that every curl still in use reads.
    private static let longestLine = 96 << 10
    /// Nothing of a user's own configuration and no proxy; no pattern in the URL, which is sent as it is; no
    /// redirection.
    private static let arguments = [
        "--disable", "--silent", "--show-error", "--noproxy", "*", "--proto", "=http,https", "--globoff",
        "--path-as-is",
        "--max-filesize", "\(longestAnswer)", "--write-out", "%{stderr}\n%{http_code}", "--config", "-",
    ]

    func send(_ request: HookRequest, _ values: HookValues) async throws -> String {
        let address = request.address
        let target = address.target(values)
        let place = "\(request.method) \(address.socket ?? values.fill(address.authority))\(target)"
        let answer: (status: Int, body: [UInt8])
        do {
            answer = try await ask(Self.configuration(request, target, values))
        } catch {
            throw HookFailure("\(place): \(Self.short("\(error)"))")
        }
        let said = Self.short(String(decoding: answer.body, as: UTF8.self))
        guard (200..<300).contains(answer.status) else {
            throw HookFailure(
                "\(place): status \(answer.status)\(said.isEmpty ? "" : ": \(said)")", isAnswer: true)
        }
        guard let expected = request.contains?.filled(values) else { return "\(place): status \(answer.status)" }
        let wanted = Self.short(String(decoding: expected.json, as: UTF8.self))
        guard let found = try? JSONValue(parsing: answer.body, .python) else {
            throw HookFailure("\(place): the answer is not JSON, \(wanted) was expected: \(said)")
        }
        guard found.contains(expected) else {
            throw HookFailure("\(place): \(wanted) was expected: \(said)", isAnswer: true)
        }
        return "\(place): \(wanted)"
    }

    package func fetch(_ request: HookRequest, _ values: HookValues) async throws(HookFailure) -> [UInt8] {
        let target = request.address.target(values)
        let place = "\(request.method) \(values.fill(request.address.authority))"
        do {
            let answer = try await ask(Self.configuration(request, target, values))
            let isJSON = (try? JSONValue(parsing: answer.body, .python)) != nil
            guard (200..<300).contains(answer.status) || isJSON else {
                throw HookFailure(
                    "status \(answer.status): \(Self.short(String(decoding: answer.body, as: UTF8.self)))")
            }
            return answer.body
        } catch {
            throw HookFailure("\(place): \(Self.short("\(error)"))")
        }
    }

    /// Runs curl to its end and gives the status and the body of the answer.
    private func ask(_ configuration: String) async throws -> (status: Int, body: [UInt8]) {
        do {
            let answer = try await ChildProcess(
                executable: curl, arguments: Self.arguments, environment: .inherit.updating(Self.ownVariables),
                input: Array(configuration.utf8), teardown: Self.teardown
            ).answer(limit: Self.longestAnswer)
            let words = String(decoding: answer.errors, as: UTF8.self).split(whereSeparator: \.isNewline)
            guard answer.status.isSuccess, let status = words.last.flatMap({ Int($0) }) else {
                let why = words.first { $0.hasPrefix("curl: ") }
                throw HookFailure(why.map(String.init) ?? "curl ended with \(answer.status)")
            }
            return (status, answer.output)
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw HookFailure("there is no curl, which makes HTTP calls; install curl")
        } catch is ChildProcess.TooLong {
            throw HookFailure("the answer is longer than \(Self.longestAnswer) bytes")
        }
    }

    /// The lines of a configuration as curl(1) has them under `--config`.
    private static func configuration(
        _ request: HookRequest, _ target: String, _ values: HookValues
    ) throws -> String {
        let address = request.address
        var lines = [("url", "\(address.scheme)://\(values.fill(address.authority))\(target)")]
        if let socket = address.socket { lines.append(("unix-socket", socket)) }
        var headers = ["accept": ("Accept", "application/json"), "user-agent": ("User-Agent", "supermerged")]
        if let json = request.json {
            headers["content-type"] = ("Content-Type", "application/json")
            lines.append(("data-raw", String(decoding: json.filled(values).json, as: UTF8.self)))
        } else if request.method != "GET", request.method != "HEAD" {
            // A length of 0, and no type.
            headers["content-type"] = ("Content-Type", "")
            lines.append(("data-raw", ""))
        }
        for (name, value) in request.headers { headers[name.lowercased()] = (name, values.fill(value)) }
        for (name, value) in headers.values.sorted(by: { $0.0 < $1.0 }) {
            lines.append(("header", value.isEmpty ? "\(name):" : "\(name): \(value)"))
        }
        let isPlainHead = request.method == "HEAD" && request.json == nil
        let head = isPlainHead ? "head\n" : "request = \"\(request.method)\"\n"
        return try head + lines.map { name, value in "\(name) = \(try quoted(value))\n" }.joined()
    }

    private static func quoted(_ text: String) throws -> String {
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw HookFailure("a value has a control character, which no HTTP call can carry")
        }
        guard text.utf8.count <= longestLine else {
            throw HookFailure("the body is longer than \(longestLine) bytes; call a command instead")
        }
        return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
