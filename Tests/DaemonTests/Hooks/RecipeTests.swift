import Foundation
import Releases
import Synchronization
import Testing
import WorkerProtocol

@testable import Daemon

/// Every hook of docs/recipes.md as it stands there, against stand-ins that keep to the servers' documented APIs.
@Suite(.timeLimit(.minutes(20)))
struct RecipeTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/recipes.md")

    /// The hooks below a heading, with the server's address replaced.
    private static func hooks(under heading: String, port: UInt16 = 1) throws -> [Hook] {
        let text = try String(contentsOf: page, encoding: .utf8)
        let section = try #require(
            text.components(separatedBy: "\n## ").first { $0.hasPrefix(heading + "\n") }, "no heading \(heading)")
        let blocks = section.components(separatedBy: "```yaml\n").dropFirst().compactMap {
            $0.components(separatedBy: "```").first
        }
        let yaml = try #require(blocks.first { $0.hasPrefix("hooks:") })
        return try Samples.hooks(yaml.replacing(/127\.0\.0\.1:[0-9]+/, with: "127.0.0.1:\(port)"))
    }

    /// Folders of two releases with a model and an adapter.
    private func withReleases(_ body: ([HookValues]) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "recipes-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let values = try (1...2).map { version in
            let directory = "\(folder)/versions/\(version)"
            try FileManager.default.createDirectory(
                atPath: directory + "/adapter", withIntermediateDirectories: true)
            for name in ["model.safetensors", "adapter/adapter_config.json"] {
                try Data().write(to: URL(filePath: "\(directory)/\(name)"))
            }
            return Samples.values(version, path: directory)
        }
        try await body(values)
    }

    /// `isHopeless`: the check is not waited for.
    private func run(_ hook: Hook, _ values: HookValues, isHopeless: Bool = false) async -> HookRunner.Outcome {
        var hook = hook
        (hook.retries, hook.timeout) = (0, .endless)
        hook.check?.within = isHopeless ? .milliseconds(100) : .endless
        return await HookRunner().run(hook, values) { _, _ in }
    }

    private func isDone(_ outcome: HookRunner.Outcome) -> Bool { if case .done = outcome { true } else { false } }

    @Test func everyBlockOfThePageIsRead() throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let blocks = text.components(separatedBy: "```yaml\n").dropFirst()
        #expect(blocks.count >= 6)
        for block in blocks { _ = try Samples.hooks(block.components(separatedBy: "```")[0]) }
    }

    @Test func sglang() async throws {
        let loaded = Mutex(["model_path": "/base", "weight_version": "default"])
        let server = try await ServerStandIn { request in
            switch (request.method, request.path) {
            case ("POST", "/update_weights_from_disk"):
                let path = request.object["model_path"] as? String ?? ""
                guard FileManager.default.fileExists(atPath: path + "/model.safetensors") else {
                    return .json(["success": false, "message": "no weights at \(path)"], status: 400)
                }
                loaded.withLock { $0["model_path"] = path }
                if let version = request.object["weight_version"] as? String {
                    loaded.withLock { $0["weight_version"] = version }
                }
                return .json([
                    "success": true, "message": "Succeeded to update model weights.", "num_paused_requests": 0,
                ])
            case ("GET", "/model_info"): return .json(loaded.withLock(\.self))
            default: return ServerStandIn.Answer(status: 404)
            }
        }
        let hook = try #require(try Self.hooks(under: "SGLang", port: server.port).first)
        try await withReleases { releases in
            for values in releases {
                #expect(isDone(await run(hook, values)))
                #expect(loaded.withLock(\.self) == ["model_path": values.path, "weight_version": "\(values.release)"])
            }
            let gone = Samples.values(3, path: "/nonexistent")
            guard case .failed(1, let message) = await run(hook, gone) else { return #expect(Bool(false)) }
            #expect(message.contains("status 400") && message.contains("no weights at"))
        }
        await server.stop()
    }

    /// The recipe on two workers: each loads the release under its own name, answers with it, and lets the one before
    /// go.
    @Test func loadsAdapterPerReleaseOnEveryWorkerOfVLLM() async throws {
        let workers = [try await VLLMStandIn(), try await VLLMStandIn()]
        var hook = try #require(try Self.hooks(under: "vLLM, merged adapters").first)
        hook.targets = .list(workers.map { "127.0.0.1:\($0.port)" })
        try await withReleases { releases in
            for (index, var values) in releases.enumerated() {
                values.previous = index > 0 ? index : nil
                try VLLMStandIn.write(answer: " negative", into: values)
                #expect(isDone(await run(hook, values)))
                for worker in workers {
                    #expect(worker.adapters == ["merged-\(values.release)": values.path + "/adapter"])
                }
            }
            #expect(!isDone(await run(hook, Samples.values(3, path: "/nonexistent"))))
            await workers[1].stop()
            try VLLMStandIn.write(answer: " negative", into: releases[1])
            guard case .failed(_, let message) = await run(hook, releases[1]) else {
                return #expect(Bool(false), "a worker that is gone was taken as confirmed")
            }
            #expect(message.hasPrefix("1 of 2 targets confirmed the release; 127.0.0.1:\(workers[1].port): "))
            hook.require = .quorum
            #expect(!isDone(await run(hook, releases[1])), "one of two is not more than half")
        }
        await workers[0].stop()
    }

    /// Why the recipe has a name per release: under one name vLLM answers from the old adapter's prefix cache, and the
    /// known answer shows it.
    @Test func refusesStalePrefixCacheOfAdapterReloadedInPlace() async throws {
        let worker = try await VLLMStandIn()
        let hook = try #require(
            try Samples.hooks(
                """
                hooks:
                  - name: vllm
                    http:
                      url: http://127.0.0.1:\(worker.port)/v1/load_lora_adapter
                      json: {lora_name: merged, lora_path: "{path}/adapter", load_inplace: true}
                    verify:
                      http:
                        url: http://127.0.0.1:\(worker.port)/v1/completions
                        json: {model: merged, prompt: "Review: a waste of time. Sentiment:", max_tokens: 1}
                        contains: {choices: [{text: " negative"}]}
                """
            ).first)
        try await withReleases { releases in
            try VLLMStandIn.write(answer: " positive", into: releases[0])
            var unchecked = hook
            unchecked.check = nil
            #expect(isDone(await run(unchecked, releases[0])))
            #expect(worker.text(of: "merged", for: "Review: a waste of time. Sentiment:") == " positive")
            try VLLMStandIn.write(answer: " negative", into: releases[1])
            #expect(!isDone(await run(hook, releases[1], isHopeless: true)), "the old answer is cached under the name")
            #expect(worker.adapters == ["merged": releases[1].path + "/adapter"])
        }
        await worker.stop()
    }

    @Test func wholeModelsInVLLMAreOnlyAskedFor() async throws {
        let root = Mutex("")
        let server = try await ServerStandIn { request in
            guard request.method == "GET", request.path == "/v1/models" else {
                return ServerStandIn.Answer(status: 405)
            }
            return .json([
                "object": "list", "data": [["id": "merged", "root": root.withLock(\.self), "parent": NSNull()]],
            ])
        }
        let hook = try #require(try Self.hooks(under: "vLLM, whole models", port: server.port).first)
        #expect(hook.call == nil)
        try await withReleases { releases in
            root.withLock { $0 = releases[0].path }
            #expect(isDone(await run(hook, releases[0])))
            #expect(!isDone(await run(hook, releases[1], isHopeless: true)), "the server was not started again")
        }
        await server.stop()
    }

    @Test func triton() async throws {
        // Version → the model that its model.json names.
        let served = Mutex<[String: String]>([:])
        let server = try await ServerStandIn { request in
            switch (request.method, request.path) {
            case ("POST", "/v2/repository/models/merged/load"):
                let parameters = request.object["parameters"] as? [String: String] ?? [:]
                let files = parameters.filter { $0.key.hasPrefix("file:") }
                // Without a newer file nothing is loaded, and that is a success.
                if files.isEmpty { return ServerStandIn.Answer() }
                guard let text = parameters["config"],
                    let config = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
                    config["backend"] as? String == "vllm"
                else { return .json(["error": "load model with file override requires 'config'"], status: 400) }
                var versions: [String: String] = [:]
                for (name, content) in files {
                    let parts = name.dropFirst(5).split(separator: "/")
                    guard parts.count == 2, Int(parts[0]) ?? 0 > 0, parts[1] == "model.json",
                        let data = Data(base64Encoded: content),
                        let engine = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
                        let path = engine["model"] as? String
                    else { return .json(["error": "invalid override \(name)"], status: 400) }
                    guard FileManager.default.fileExists(atPath: path + "/model.safetensors") else {
                        return .json(["error": "failed to load 'merged': no model at \(path)"], status: 400)
                    }
                    versions[String(parts[0])] = path
                }
                served.withLock { $0 = versions }
                return ServerStandIn.Answer()
            case ("GET", "/v2/models/merged"):
                let versions = served.withLock { $0.keys.sorted() }
                if versions.isEmpty { return .json(["error": "unknown model"], status: 400) }
                return .json(["name": "merged", "versions": versions, "platform": "vllm"])
            default: return ServerStandIn.Answer(status: 404)
            }
        }
        let hook = try #require(
            try Self.hooks(under: "Triton with its vLLM backend", port: server.port).first)
        try await withReleases { releases in
            for values in releases {
                #expect(isDone(await run(hook, values)))
                #expect(served.withLock(\.self) == ["\(values.release)": values.path])
            }
            #expect(!isDone(await run(hook, Samples.values(3, path: "/nonexistent"))))
            // The trap: a load that says yes and loads nothing is not believed.
            guard case .request(var request) = hook.call else { return #expect(Bool(false)) }
            request.json = nil
            var naive = hook
            naive.call = .request(request)
            #expect(!isDone(await run(naive, Samples.values(4, path: releases[1].path), isHopeless: true)))
        }
        await server.stop()
    }

    @Test func systemctl() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "systemctl-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let script = """
            #!/bin/sh
            echo "$SUPERMERGE_RELEASE $*" >>"\(folder)/said"
            case "$1 $2" in "reload model-server.service"|"is-active --quiet") exit 0;; esac
            exit 1
            """
        try Data(script.utf8).write(to: URL(filePath: folder + "/systemctl"))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder + "/systemctl")
        var hook = try #require(try Self.hooks(under: "systemd").first)
        guard case .command(let words) = hook.call, case .command(let question) = hook.check?.call else {
            return #expect(Bool(false))
        }
        #expect(words[0] == "/usr/bin/systemctl" && question[0] == words[0])
        hook.call = .command([folder + "/systemctl"] + words.dropFirst())
        hook.check?.call = .command([folder + "/systemctl"] + question.dropFirst())
        #expect(isDone(await run(hook, Samples.values())))
        let said = try String(contentsOfFile: folder + "/said", encoding: .utf8)
        #expect(said == "3 reload model-server.service\n3 is-active --quiet model-server.service\n")
    }
}
