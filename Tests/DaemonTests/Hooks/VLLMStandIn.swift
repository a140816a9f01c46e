import Daemon
import Foundation
import Synchronization

/// The adapter API of vLLM with its prefix cache: an answer is kept under adapter name and prompt, also when other
/// files are loaded under that name. An adapter answers with the text of the file `answer` in its folder.
final class VLLMStandIn: Sendable {
    private struct State {
        /// Name → folder.
        var adapters: [String: String] = [:]
        /// Name and prompt → text.
        var cache: [[String]: String] = [:]
    }

    private let state: Mutex<State>
    private let server: ServerStandIn

    var port: UInt16 { server.port }
    var adapters: [String: String] { state.withLock { $0.adapters } }

    init() async throws {
        let box = Box()
        server = try await ServerStandIn { request in box.answer(request) }
        state = Mutex(State())
        box.owner.withLock { $0 = Weak(self) }
    }

    func stop() async { await server.stop() }

    static func write(answer: String, into values: HookValues) throws {
        try Data(answer.utf8).write(to: URL(filePath: values.path + "/adapter/answer"))
    }

    /// The server is made before the stand-in is complete.
    private final class Box: Sendable {
        let owner = Mutex(Weak(nil))

        func answer(_ request: ServerStandIn.Request) -> ServerStandIn.Answer {
            owner.withLock(\.self).value?.answer(request) ?? ServerStandIn.Answer(status: 503)
        }
    }

    private struct Weak: Sendable {
        weak var value: VLLMStandIn?

        init(_ value: VLLMStandIn?) { self.value = value }
    }

    private func answer(_ request: ServerStandIn.Request) -> ServerStandIn.Answer {
        let name = request.object[request.path == "/v1/completions" ? "model" : "lora_name"] as? String ?? ""
        switch (request.method, request.path) {
        case ("POST", "/v1/load_lora_adapter"): return load(name, request)
        case ("POST", "/v1/unload_lora_adapter"):
            guard state.withLock({ $0.adapters.removeValue(forKey: name) }) != nil else {
                return .json(["message": "The lora adapter '\(name)' cannot be found."], status: 404)
            }
            return ServerStandIn.Answer(body: "Success: LoRA adapter '\(name)' removed successfully.")
        case ("POST", "/v1/completions"): return complete(name, request.object["prompt"] as? String ?? "")
        default: return ServerStandIn.Answer(status: 404)
        }
    }

    private func load(_ name: String, _ request: ServerStandIn.Request) -> ServerStandIn.Answer {
        guard let path = request.object["lora_path"] as? String else { return ServerStandIn.Answer(status: 422) }
        if adapters[name] != nil, request.object["load_inplace"] as? Bool != true {
            return .json(["message": "The lora adapter '\(name)' has already been loaded."], status: 400)
        }
        guard FileManager.default.fileExists(atPath: path + "/adapter_config.json") else {
            return .json(["message": "No adapter found for \(path)"], status: 404)
        }
        state.withLock { $0.adapters[name] = path }
        return ServerStandIn.Answer(body: "Success: LoRA adapter '\(name)' added successfully.")
    }

    private func complete(_ name: String, _ prompt: String) -> ServerStandIn.Answer {
        guard let text = text(of: name, for: prompt) else {
            return .json(["message": "The model `\(name)` does not exist."], status: 404)
        }
        return .json(["model": name, "choices": [["index": 0, "text": text]]])
    }

    /// What an adapter answers, from the cache where it is there; nil where no adapter has the name.
    func text(of name: String, for prompt: String) -> String? {
        guard let path = adapters[name] else { return nil }
        let fresh = (try? String(contentsOfFile: path + "/answer", encoding: .utf8)) ?? ""
        return state.withLock { state in
            let text = state.cache[[name, prompt]] ?? fresh
            state.cache[[name, prompt]] = text
            return text
        }
    }
}
