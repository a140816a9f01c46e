import Files

/// One thing that a hook does: it either succeeds or says why not.
package enum HookCall: Hashable, Sendable {
    /// A program and its arguments, without a shell; exit status 0 is success.
    case command([String])
    case request(HookRequest)

    /// Whether a text of the call has the placeholder `{name}`.
    func names(_ name: String) -> Bool {
        switch self {
        case .command(let words): words.contains { $0.contains("{\(name)}") }
        case .request(let request):
            [request.address.authority, request.address.target].contains { $0.contains("{\(name)}") }
                || request.headers.values.contains { $0.contains("{\(name)}") }
                || [request.json, request.contains].contains { $0?.names(name) ?? false }
        }
    }
}

/// An HTTP call; a status of 200 to 299, and an answer that contains what is expected, is success.
package struct HookRequest: Hashable, Sendable {
    package var method: String
    package var address: HTTPAddress
    package var headers: [String: String]
    /// The body, as JSON.
    package var json: HookTemplate?
    /// What the answer's JSON must contain; see `JSONValue.contains`.
    package var contains: HookTemplate?

    package init(
        method: String, address: HTTPAddress, headers: [String: String] = [:], json: HookTemplate? = nil,
        contains: HookTemplate? = nil
    ) {
        self.method = method
        self.address = address
        self.headers = headers
        self.json = json
        self.contains = contains
    }
}

/// Does what hooks ask for; the daemon's is `HookCaller`.
package protocol HookCalling: Sendable {
    /// Gives a few words on the success, for the ledger. Cancelling the task ends the call.
    func call(_ call: HookCall, _ values: HookValues) async throws(HookFailure) -> String
    /// Gives the body of an answer; with a status that is no success only where it is JSON.
    func fetch(_ request: HookRequest, _ values: HookValues) async throws(HookFailure) -> [UInt8]
}

/// Why a call did not succeed, in one line for people.
package struct HookFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
    /// Whether somebody answered, and the answer is no: exit status 1, an HTTP status that is no success, or another
    /// content than the expected one. Else nothing was heard, or nothing that can be understood.
    package var isAnswer: Bool

    package init(_ description: String, isAnswer: Bool = false) {
        (self.description, self.isAnswer) = (description, isAnswer)
    }
}
